/** How the page looks: what a player has set, as attributes of the page that the sheets know (`style/tokens.css`, `style/themes.css`). */

const LIGHT = "(prefers-color-scheme: light)";
/** What a phone paints around the page. */
const AROUND = { dark: "#101513", light: "#ffffff" };

/** @param {Settings} settings */
export function dress(settings) {
  const { dataset } = document.documentElement;
  const theme = settings.theme === "device" ? (matchMedia(LIGHT).matches ? "light" : "dark") : settings.theme;
  Object.assign(dataset, { theme, felt: settings.felt, back: settings.back, deck: settings.fourColours ? "four" : "two", motion: settings.lessMotion ? "less" : "all" });
  document.querySelector("meta[name=theme-color]")?.setAttribute("content", AROUND[theme]);
}

/** Told when the device has another theme. */
export function onDevice(then) {
  matchMedia(LIGHT).addEventListener("change", then);
}
