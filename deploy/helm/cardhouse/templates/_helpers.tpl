{{- define "cardhouse.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end }}

{{/* Labels by which pods are found: they never change. Takes (dict "root" $ "part" "relay"). */}}
{{- define "cardhouse.selector" -}}
app.kubernetes.io/name: cardhouse
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "cardhouse.labels" -}}
{{ include "cardhouse.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "cardhouse.metadata" -}}
name: {{ include "cardhouse.name" .root }}-{{ .part }}
labels:
  {{- include "cardhouse.labels" . | nindent 2 }}
{{- end }}

{{- define "cardhouse.image" -}}
{{- with .root.Values.image.registry }}{{ . | trimSuffix "/" }}/{{ end }}cardhouse-{{ .part }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* Nobody is root, nobody writes but where a volume is, nobody gets more rights. */}}
{{- define "cardhouse.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "cardhouse.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user | default 10001 }}
  runAsGroup: {{ .user | default 10001 }}
  fsGroup: {{ .user | default 10001 }}
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* What all pods have: who they are, where they run, how they are spread. */}}
{{- define "cardhouse.pod" -}}
{{- $v := .root.Values -}}
serviceAccountName: {{ include "cardhouse.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $v.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{ include "cardhouse.podSecurity" . }}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "cardhouse.selector" $ | nindent 8 }}
    # Only pods of one release are counted against each other.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- with $v.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Health at the operators' port, of relay, dealer-worker, pit, reception and agency. Not ready is no reason to restart: while Redis is away relays keep their sockets. */}}
{{- define "cardhouse.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: ops }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end }}

{{- define "cardhouse.env" -}}
- { name: CARDHOUSE_OPS_LISTEN, value: "0.0.0.0:9101" }
- { name: CARDHOUSE_LOG_FORMAT, value: json }
{{- with .root.Values.secrets.opsToken }}
- { name: CARDHOUSE_OPS_TOKEN_FILE, value: /run/secrets/ops/token }
{{- end }}
{{- range $name, $value := .more }}
{{- /* Helm would write 1000000 as 1e+06. */}}
{{- if kindIs "float64" $value }}{{ if eq $value (floor $value) }}{{ $value = int64 $value }}{{ end }}{{ end }}
- { name: {{ $name }}, value: {{ $value | toString | quote }} }
{{- end }}
{{- end }}

{{- define "cardhouse.redisEnv" -}}
{{- if .root.Values.redis.own.enabled }}
- { name: CARDHOUSE_REDIS_URL, value: "redis://{{ include "cardhouse.name" .root }}-redis:6379" }
{{- else }}
- { name: CARDHOUSE_REDIS_URL_FILE, value: /run/secrets/redis/url }
{{- end }}
- { name: CARDHOUSE_DURABILITY, value: {{ .root.Values.durability | quote }} }
{{- end }}

{{/* What whoever takes sockets is told: (dict "root" $ "set" .Values.relay). */}}
{{- define "cardhouse.doorEnv" -}}
{{- $v := .root.Values -}}
- { name: CARDHOUSE_RELAY_LISTEN, value: "0.0.0.0:8081" }
- { name: CARDHOUSE_JWKS_URL, value: "http://{{ include "cardhouse.name" .root }}-reception:8090/.well-known/jwks.json" }
- { name: CARDHOUSE_NEAR, value: "true" }
- { name: CARDHOUSE_TRUST_PROXY, value: "{{ add 1 $v.edge.proxiesBefore }}" }
- { name: CARDHOUSE_CONNECTIONS_MAX, value: "{{ .set.connectionsMax | int }}" }
- { name: CARDHOUSE_DRAIN_MS, value: "{{ mul 1000 .set.drainSeconds }}" }
{{- with $v.hosts }}
- { name: CARDHOUSE_HOSTS, value: {{ join "," . | quote }} }
{{- end }}
{{- with $v.origins }}
- { name: CARDHOUSE_ORIGINS, value: {{ join "," . | quote }} }
{{- end }}
{{- end }}

{{/* What whoever owns tables is told: (dict "root" $ "set" .Values.dealerWorker). */}}
{{- define "cardhouse.ownerEnv" -}}
{{- $secrets := .root.Values.secrets -}}
{{- if $secrets.sealKeys }}
- { name: CARDHOUSE_SEAL_KEY_DIR, value: /run/secrets/seal }
# Longer than it takes until a changed Secret is in all pods.
- { name: CARDHOUSE_SEAL_KEY_SETTLE_MS, value: "300000" }
{{- else }}
- { name: CARDHOUSE_SEAL_KEY_FILE, value: /run/secrets/seal/seal-key }
# Empty where there are none.
- { name: CARDHOUSE_SEAL_KEYS_OLDER, valueFrom: { secretKeyRef: { name: {{ required "secrets.sealKey names a Secret with the key seal-key" $secrets.sealKey }}, key: seal-keys-older, optional: true } } }
{{- end }}
- { name: CARDHOUSE_TABLES, value: "{{ .set.tables | int }}" }
{{- if .root.Values.agency.enabled }}
- { name: CARDHOUSE_AGENCY, value: "true" }
- { name: CARDHOUSE_JOBS, value: "true" }
{{- if not (hasKey .set.env "CARDHOUSE_PLAYERS_TABLES") }}
- { name: CARDHOUSE_PLAYERS_TABLES, value: "true" }
{{- end }}
{{- end }}
{{- end }}

{{/* What signs tokens. */}}
{{- define "cardhouse.keysVolume" -}}
- name: keys
  secret: { secretName: {{ required "secrets.tokenKeys names a Secret with *.pem files" .Values.secrets.tokenKeys }}, defaultMode: 0440 }
{{- end }}

{{- define "cardhouse.sealVolume" -}}
- name: seal
  secret: { secretName: {{ .Values.secrets.sealKeys | default .Values.secrets.sealKey }}, defaultMode: 0440 }
{{- end }}

{{/* Without an address of its own: its name stands for every one that is ready, which is what the edge looks for. */}}
{{- define "cardhouse.doorService" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "cardhouse.metadata" . | nindent 2 }}
spec:
  clusterIP: None
  ports: [{ name: ws, port: 8081, targetPort: ws }]
  selector:
    {{- include "cardhouse.selector" . | nindent 4 }}
{{- end }}

{{/* Secrets as files: (dict "root" $ "redis" true). */}}
{{- define "cardhouse.mounts" -}}
{{- if .root.Values.secrets.opsToken }}
- { name: ops, mountPath: /run/secrets/ops, readOnly: true }
{{- end }}
{{- if and .redis (not .root.Values.redis.own.enabled) }}
- { name: redis, mountPath: /run/secrets/redis, readOnly: true }
{{- end }}
{{- end }}

{{- define "cardhouse.volumes" -}}
{{- with .root.Values.secrets.opsToken }}
- name: ops
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- if and .redis (not .root.Values.redis.own.enabled) }}
- name: redis
  secret: { secretName: {{ required "redis.external.secret names a Secret with the key url, if redis.own is not enabled" .root.Values.redis.external.secret }}, defaultMode: 0440 }
{{- end }}
{{- end }}

{{/* Never more than one at a time leaves by somebody's decision. */}}
{{- define "cardhouse.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "cardhouse.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "cardhouse.selector" . | nindent 6 }}
{{- end }}

{{/* (dict "root" $ "part" "relay" "set" .Values.relay.autoscaling "metric" "relay_connections" "each" 10000). Grows at once, shrinks slowly: each relay that
     leaves sends its players elsewhere. */}}
{{- define "cardhouse.autoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "cardhouse.metadata" . | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "cardhouse.name" .root }}-{{ .part }} }
  minReplicas: {{ .set.minReplicas }}
  maxReplicas: {{ .set.maxReplicas }}
  metrics:
    {{- if .each }}
    - type: Pods
      pods:
        metric: { name: {{ .metric }} }
        target: { type: AverageValue, averageValue: {{ .each | quote }} }
    {{- end }}
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: {{ .set.cpuPercent }} } }
  behavior:
    scaleUp:
      policies: [{ type: Pods, value: 4, periodSeconds: 60 }]
    scaleDown:
      stabilizationWindowSeconds: 900
      policies: [{ type: Pods, value: 1, periodSeconds: 300 }]
{{- end }}
