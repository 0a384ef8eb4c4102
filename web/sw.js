/**
 * The service worker: says that the house cannot be reached, where a browser would say that there is no such site.
 *
 * It keeps nothing of the page. That comes from the house each time somebody goes there, so that a new house is never shown an old page; what has
 * its content in its name is kept by the browser as it is. What this worker keeps is the page for when nobody answers, and it keeps that
 * anew whenever the house has another page.
 */
const CACHE = "cardhouse.offline";
const PAGE = "/offline.html";
const KEPT = [PAGE, "/offline.js", "/style/offline.css"];
/** Under this name stands which of the house's pages the kept ones came with. */
const CAME_WITH = "/offline/came-with";
/** Answers of something in front of a house that is not there. */
const NOBODY = new Set([502, 503, 504]);

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keep(""));
});

addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clients.claim(), registration.navigationPreload?.enable()]));
});

addEventListener("fetch", (event) => {
  const { mode, url } = event.request;
  const { pathname } = new URL(url);
  // Whoever comes back from signing in elsewhere goes to reception, which sends on to the page.
  if (mode === "navigate") event.respondWith(pathname.startsWith("/api/") ? asked(event) : goTo(event));
  else if (KEPT.includes(pathname)) event.respondWith(fetch(event.request).catch(() => kept(pathname)));
});

/** The browser has asked already, while this worker woke: it would ask again if that were left aside, and a way back is walked once. */
async function asked(event) {
  return (await event.preloadResponse) ?? fetch(event.request);
}

async function goTo(event) {
  try {
    const answer = await asked(event);
    if (NOBODY.has(answer.status)) return (await kept(PAGE)) ?? answer;
    event.waitUntil(keepIfNew(answer.headers.get("etag") ?? ""));
    return answer;
  } catch (error) {
    const page = await kept(PAGE);
    if (page) return page;
    throw error;
  }
}

async function kept(path) {
  return (await caches.open(CACHE)).match(path);
}

async function keepIfNew(tag) {
  const before = await kept(CAME_WITH);
  if (tag === "" || (await before?.text()) !== tag) await keep(tag);
}

/** All or nothing. What cannot be had now is tried for with the next page. */
async function keep(tag) {
  const cache = await caches.open(CACHE);
  await cache.addAll(KEPT.map((path) => new Request(path, { cache: "no-cache" })));
  await cache.put(CAME_WITH, new Response(tag));
}
