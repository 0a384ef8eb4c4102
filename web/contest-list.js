/** The list of sit & gos or tournaments: what is asked of the relay. Pure. */
import { PAGE_ROWS } from "./lobby-list.js";

/** The view that shows sit & gos (`sng`) or tournaments (`mtt`). */
export function contestView({ kind, text, game, open, page }) {
  const view = { kind, sort: kind === "mtt" ? "starts" : "players", desc: kind !== "mtt", from: page * PAGE_ROWS, count: PAGE_ROWS };
  if (text.trim()) view.text = text.trim();
  if (game) view.game = game;
  if (open) view.free = 1;
  return view;
}
