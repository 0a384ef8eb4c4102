"""Are rendered objects right? python objects.py RENDERED NAME

Every object against the strict schema of Kubernetes, those of the Prometheus operator against what we use of them; and what no schema knows: selectors find
pods, no container is root or writes to its image, what is mounted is a volume, and who is told where to connect gets there: there is such a Service, and both
network policies let it.
"""

import collections
import re
import sys

import kubernetes_validate
import yaml

VERSION = "1.31"
# The operator's kinds are not among Kubernetes's own: what we use of them.
OPERATOR = {
    "PodMonitor": {"jobLabel", "selector", "podMetricsEndpoints"},
    "PrometheusRule": {"groups"},
}
# Secrets that the examples name.
SECRETS = {"cardhouse-seal", "cardhouse-sealing", "cardhouse-tokens", "cardhouse-ops", "cardhouse-redis", "cards-example-tls"}


def fields(thing):
    """Every pair of a key and what is under it, however deep."""
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield key, value
            yield from fields(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from fields(value)


def wrong_in_schema(thing):
    if thing["kind"] in OPERATOR:
        unknown = set(thing["spec"]) ^ OPERATOR[thing["kind"]]
        return [f"spec has or lacks {', '.join(sorted(unknown))}"] if unknown else []
    try:
        kubernetes_validate.validate(thing, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    return []


def wrong_in_pod(pod):
    if not pod["securityContext"].get("runAsNonRoot"):
        yield "may be root"
    if pod.get("automountServiceAccountToken", True):
        yield "has a token for the API server"
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    for container in pod["containers"]:
        rights = container.get("securityContext", {})
        if not rights.get("readOnlyRootFilesystem") or rights.get("allowPrivilegeEscalation", True):
            yield f"{container['name']} writes to its image or gets more rights"
        if rights.get("capabilities", {}).get("drop") != ["ALL"]:
            yield f"{container['name']} keeps capabilities"
        if "memory" not in container["resources"].get("limits", {}):
            yield f"{container['name']} has no bound of memory"
        gone = {mount["name"] for mount in container.get("volumeMounts", [])} - volumes - {"data"}
        if gone:
            yield f"{container['name']} mounts {gone}, which is no volume"
        if len(names := [variable["name"] for variable in container.get("env", [])]) != len(set(names)):
            yield f"{container['name']} has a variable twice"
    drain = pod["terminationGracePeriodSeconds"]
    for _, hook in fields(pod):
        if isinstance(hook, dict) and "sleep" in hook and hook["sleep"]["seconds"] >= drain:
            yield f"is killed after {drain} s, while its hook sleeps"


def is_part(wanted, labels):
    return wanted.items() <= labels.items()


def lets(policies, way, end, one, other, port):
    """Whether the policy of the pod with the labels `one` lets it have to do with `other`: `way` is ingress or egress, `end` from or to."""
    for rule in (rule for policy in policies if is_part(policy["podSelector"]["matchLabels"], one) for rule in policy[way]):
        peers = rule.get(end, [{"podSelector": {"matchLabels": other}}])
        there = any(is_part(peer["podSelector"]["matchLabels"], other) for peer in peers if "podSelector" in peer)
        if there and port in [entry["port"] for entry in rule.get("ports", [{"port": port}])]:
            return True
    return False


def wrong_ways(objects, pods):
    """What a variable says of Services and ports that are not there, or out of reach."""
    specs = {kind: {thing["metadata"]["name"]: thing["spec"] for thing in objects if thing["kind"] == kind} for kind in ("Service", "NetworkPolicy")}
    policies = specs["NetworkPolicy"].values()
    for pod in pods:
        labels = pod["metadata"]["labels"]
        told = [(value, found) for _, value in fields(pod["spec"]) if isinstance(value, str) for found in re.findall(r"\b(house-[a-z-]+):(\d+)", value)]
        for value, (name, port) in told:
            about = f"pod of {labels['app.kubernetes.io/component']}: {value}"
            service = specs["Service"].get(name, {"ports": []})
            doors = [one["targetPort"] for one in service["ports"] if one["port"] == int(port)]
            there = [pod for pod in pods if doors and is_part(service["selector"], pod["metadata"]["labels"])]
            numbers = [one["containerPort"] for pod in there for container in pod["spec"]["containers"] for one in container["ports"] if one["name"] == doors[0]]
            if not numbers:
                yield f"{about}: there is no such port"
            elif policies and not lets(policies, "egress", "to", labels, there[0]["metadata"]["labels"], numbers[0]):
                yield f"{about}: may not go there"
            elif policies and not lets(policies, "ingress", "from", there[0]["metadata"]["labels"], labels, numbers[0]):
                yield f"{about}: is not let in"


def main(path, name):
    objects = [thing for thing in yaml.safe_load_all(open(path)) if thing]
    pods = [thing["spec"]["template"] for thing in objects if thing["kind"] in ("Deployment", "StatefulSet")]
    labels = [pod["metadata"]["labels"] for pod in pods]
    wrong = []
    for thing in objects:
        about = f"{thing['kind']} {thing['metadata']['name']}"
        wrong += [f"{about}: {why}" for why in wrong_in_schema(thing)]
        # A selector that finds nobody guards, opens or counts nothing.
        for key, selector in fields(thing["spec"] if "spec" in thing else {}):
            if key in ("selector", "podSelector", "labelSelector") and selector:
                wanted = selector.get("matchLabels", selector).items()
                if not any(wanted <= label.items() for label in labels):
                    wrong.append(f"{about}: {key} finds no pod: {dict(wanted)}")
        for key, value in fields(thing):
            if not isinstance(value, dict):
                continue
            named = value.get("name") if key == "secretKeyRef" else value.get("secretName")
            if named and named not in SECRETS:
                wrong.append(f"{about}: nobody makes the Secret {named}")
    for pod in pods:
        part = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        wrong += [f"pod of {part}: {why}" for why in wrong_in_pod(pod["spec"])]
    wrong += wrong_ways(objects, pods)
    twice = [one for one, count in collections.Counter((t["kind"], t["metadata"]["name"]) for t in objects).items() if count > 1]
    wrong += [f"twice: {one}" for one in twice]
    counted = collections.Counter(thing["kind"] for thing in objects)
    print(f"{name}: {len(objects)} objects:", ", ".join(f"{kind} {count}" for kind, count in sorted(counted.items())))
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main(*sys.argv[1:])
