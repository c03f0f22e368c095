/* Small conveniences of the console's pages. Without this file every page works by reload.
   Rules: says when a case has moved under an open form; brings the reason of a refusal into view; sends a form once. */
"use strict";
(() => {
  function showWhetherStale() {
    const stands = document.getElementById("live")?.dataset.stands;
    for (const notice of document.querySelectorAll("[data-stale]")) {
      notice.hidden = stands === undefined || notice.dataset.stale === stands;
    }
  }

  document.addEventListener("htmx:afterSettle", showWhetherStale);

  // Rows that somebody is choosing stay as they are until something was done with them.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.querySelector("[data-pick]:checked")) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const fold = event.target instanceof Element && event.target.closest("details.g-actrow > summary")?.parentElement;
    if (fold && !fold.open) setTimeout(() => fold.querySelector("textarea, input:not([type=hidden])")?.focus());
  });

  document.addEventListener("submit", (event) => {
    if (!(event.target instanceof HTMLFormElement) || event.target.method !== "post") return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  if (!document.querySelector("[aria-invalid=true]")) document.getElementById("failed")?.focus();
})();
