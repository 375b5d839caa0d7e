/* Une lecture que l'on lance et que l'on arrête ; elle ne continue jamais là où personne ne la voit. */

/**
 * `advance(n)` fait n pas et rend false quand il n'y en a plus ; `rate()` dit combien en faire par seconde ; `changed(playing)`
 * est appelée au départ et à l'arrêt. La lecture s'arrête quand `el` sort de l'écran ou que l'onglet passe derrière. À qui
 * demande moins de mouvement, on ne montre qu'une image par seconde : elle avance d'autant de pas.
 */
export function player({ el, rate, advance, changed }) {
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const button = html("button", { type: "button" });
  let frame = 0, last = 0, owed = 0;
  const show = () => { button.textContent = frame ? "Pause" : "Lecture"; };

  function pause() {
    if (!frame) return;
    cancelAnimationFrame(frame);
    frame = 0;
    show();
    changed(false);
  }
  function turn(now) {
    frame = requestAnimationFrame(turn);
    if (calm.matches && now - last < 1000) return;
    owed += rate() * Math.min(1, (now - last) / 1000);
    last = now;
    const count = Math.floor(owed);
    owed -= count;
    if (count && advance(count) === false) pause();
  }
  function play() {
    last = performance.now();
    owed = calm.matches ? 0 : 1; // le premier pas se voit tout de suite
    frame = requestAnimationFrame(turn);
    show();
    changed(true);
  }
  button.addEventListener("click", () => (frame ? pause() : play()));

  const hidden = () => { if (document.hidden) pause(); };
  const watcher = new IntersectionObserver(([entry]) => { if (!entry.isIntersecting) pause(); });
  watcher.observe(el);
  document.addEventListener("visibilitychange", hidden);
  show();
  const stop = () => {
    pause();
    watcher.disconnect();
    document.removeEventListener("visibilitychange", hidden);
  };
  return { button, pause, stop };
}
