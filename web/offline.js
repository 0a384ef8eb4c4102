/** The page for when nobody answers: in one language, and until somebody answers. Nothing else is there that it could import. */

/** So often it asks whether the house is there. */
const AGAIN_MS = 3_000;

const pages = [...document.querySelectorAll("main")];
const codes = pages.map(({ lang }) => lang);
const wishes = [chosen(), ...navigator.languages].map((wish) => wish.toLowerCase().split("-")[0]);
const spoken = wishes.find((code) => codes.includes(code)) ?? codes[0];
for (const page of pages) if (page.lang !== spoken) page.remove();
document.documentElement.lang = spoken;

const again = () => location.reload();
document.querySelector("button").addEventListener("click", again);
addEventListener("online", again);
setInterval(look, AGAIN_MS);

/** A reload would blink, so this asks first. */
async function look() {
  const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.ok) again();
}

/** The language that was chosen in the settings. */
function chosen() {
  try {
    return String(JSON.parse(localStorage.getItem("cardhouse.settings"))?.language ?? "");
  } catch {
    return "";
  }
}
