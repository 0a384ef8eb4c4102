"""Fetches the last hands of all tables of a house, each as PHH and as Open Hand History: fetch.py URL TABLES FOLDER"""

import json
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def main():
    url, tables, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])

    def get(path, form):
        with urlopen(Request(url + path, headers={"accept": form})) as answer:
            return answer.read().decode()

    phhs, ohh, number = "", "", 0
    for table in range(1, tables + 1):
        hands = json.loads(get(f"/api/tables/t{table}/hands?limit=100", "application/json"))["hands"]
        for hand in reversed(hands):
            forms = ("application/x-phh", "application/vnd.ohh+json")
            try:
                as_phh, as_ohh = (get(f"/api/hands/{hand['id']}", form) for form in forms)
            except HTTPError as error:
                # Meanwhile it is none of the last hundred.
                if error.code != 404:
                    raise
                continue
            number += 1
            phhs += f"[{number}]\n{as_phh}\n"
            ohh += f"{as_ohh}\n\n"
    (folder / "session.phhs").write_text(phhs)
    (folder / "session.ohh").write_text(ohh)


main()
