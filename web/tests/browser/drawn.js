/** How a page keeps up: `drawn(ms)` watches it for so long, and answers frames a second, the gaps between them, and the tasks that were long. */
window.drawn = async (ms) => {
  const long = [];
  const seen = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
  seen.observe({ type: "longtask" });
  const times = [];
  await new Promise((resolve) => {
    const draw = (now) => {
      times.push(now);
      if (now - times[0] < ms) requestAnimationFrame(draw);
      else resolve();
    };
    requestAnimationFrame(draw);
  });
  seen.disconnect();
  const gaps = times.slice(1).map((now, at) => now - times[at]).sort((one, other) => one - other);
  return {
    fps: (1_000 * gaps.length) / (times.at(-1) - times[0]),
    gap_p50_ms: gaps[Math.floor(gaps.length / 2)],
    gap_p99_ms: gaps[Math.floor(gaps.length * 0.99)],
    gap_max_ms: gaps.at(-1),
    long_tasks: long.length,
    longest_ms: Math.max(0, ...long),
  };
};

/** The same while somebody scrolls the list in which `css` stands, down and up, a row with each frame. */
window.drawnWhileScrolling = async (css, ms) => {
  let list = document.querySelector(css);
  const scrolls = (it) => it.scrollHeight > it.clientHeight && /auto|scroll/.test(getComputedStyle(it).overflowY);
  while (list.parentElement && !scrolls(list)) list = list.parentElement;
  let [by, far, goes] = [document.querySelector(css).offsetHeight, 0, true];
  const scroll = () => {
    const before = list.scrollTop;
    list.scrollTop += by;
    far += Math.abs(list.scrollTop - before);
    if (list.scrollTop === before) by = -by;
    if (goes) requestAnimationFrame(scroll);
  };
  requestAnimationFrame(scroll);
  const told = await drawn(ms);
  goes = false;
  return { ...told, scrolled_px: Math.round(far) };
};

/** Milliseconds from a click on the first `css` until the page has drawn a frame in which `there` stands. */
window.drawnAfterClick = (css, there) =>
  new Promise((resolve) => {
    const began = performance.now();
    document.querySelector(css).click();
    const look = () => {
      if (document.querySelector(there)) requestAnimationFrame(() => resolve(performance.now() - began));
      else requestAnimationFrame(look);
    };
    look();
  });
