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
    let version = source.dataset.version;
    let losing = 0;
    const follow = (event) => {
      if (event.data === version) return;
      version = event.data;
      htmx.trigger(source, "changed");
    };
    const events = new EventSource(source.dataset.live);
    // The first event says where the case stands now: it may have moved between the page and this connection.
    events.addEventListener("version", follow);
    events.addEventListener("changed", follow);
    events.addEventListener("open", () => {
      clearTimeout(losing);
      losing = 0;
      sayFound();
    });
    // The server ends each stream after a while and the browser comes back by itself: only a longer gap is a loss.
    events.addEventListener("error", () => { losing ||= setTimeout(sayLost, 4000); });
    source.addEventListener("htmx:sendError", sayLost);
    source.addEventListener("htmx:responseError", sayLost);
    window.addEventListener("pagehide", () => events.close());
  }
}
