// Keeps #live fresh: the server says "changed", the page asks for itself and swaps that one element.
// Forms stand outside #live, so nothing typed is lost. A broken connection is said, and tried again.
"use strict";

{
  const source = document.getElementById("live-source");
  const lost = document.getElementById("live-lost");
  let lostAt = null;

  function sayLost() {
    if (lostAt) return;
    lostAt = new Date();
    lost.querySelector("[data-lost-at]").textContent = lostAt.toLocaleTimeString(document.documentElement.lang, { hour12: false });
    lost.hidden = false;
  }

  function sayFound() {
    lostAt = null;
    lost.hidden = true;
  }

  if (source) {
    let version = null;
    const events = new EventSource(source.dataset.live);
    events.addEventListener("changed", (event) => {
      if (event.data === version) return;
      version = event.data;
      htmx.trigger(source, "changed");
    });
    events.addEventListener("open", () => {
      if (lostAt) htmx.trigger(source, "changed");
      sayFound();
    });
    events.addEventListener("error", sayLost);
    source.addEventListener("htmx:sendError", sayLost);
    source.addEventListener("htmx:responseError", sayLost);
    window.addEventListener("pagehide", () => events.close());
  }
}
