/* Keys of the console: J K move, Enter opens, X chooses, A takes (or goes to the act on the chosen rows), T / R and others by their mark, G and a letter goes, ? shows all.
   Rules: never while a field has the focus or with Ctrl, Alt or Meta; can be switched off, kept on this machine; every key
   only does what a link or button on the page does, so pages work without this file.
   Marks in the page: table[data-rows] tr[data-row] a[data-open]; tr[data-take]; [data-pick]; [data-bulk]; [data-key="t"]; a[data-go="q"]; [data-keys-help]. */
"use strict";
(() => {
  const SWITCH = "guardia-keys";
  const GO_TIMEOUT_MS = 1500;
  let goPressedAt = -Infinity;
  let selected = null;

  const areOn = () => { try { return localStorage.getItem(SWITCH) !== "off"; } catch { return true; } };
  const help = () => document.getElementById("keys-help");
  const rows = () => [...document.querySelectorAll("[data-rows] tr[data-row]")];
  const isField = (element) => element instanceof HTMLElement
    && (element.isContentEditable || element.matches("input:not([data-pick]), textarea, select, [role=textbox]"));

  function mark(row, withFocus) {
    for (const other of rows()) other.removeAttribute("aria-selected");
    if (!row) return;
    selected = row.dataset.row;
    row.setAttribute("aria-selected", "true");
    if (withFocus) {
      row.querySelector("a[data-open]")?.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    }
  }

  function step(by) {
    const all = rows();
    if (!all.length) return false;
    const at = all.findIndex((row) => row.dataset.row === selected);
    mark(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))], true);
    return true;
  }

  function current() { return rows().find((row) => row.dataset.row === selected); }

  function takeRow() {
    const form = document.getElementById("take-row");
    const row = current();
    if (!form || !row || !row.dataset.take) return false;
    form.action = row.dataset.take;
    form.requestSubmit();
    return true;
  }

  function pickRow() {
    const box = current()?.querySelector("[data-pick]");
    if (!box) return false;
    box.click();
    return true;
  }

  function actOnPicked() {
    const act = document.querySelector("[data-bulk]");
    if (!act || !document.querySelector("[data-pick]:checked")) return false;
    act.focus();
    return true;
  }

  function openRow() {
    const link = current()?.querySelector("a[data-open]");
    if (!link || isInteractive(document.activeElement)) return false;
    link.click();
    return true;
  }

  function isInteractive(element) { return element instanceof HTMLElement && element.matches("a, button, summary, input"); }

  function press(key) {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.scrollIntoView({ block: "nearest" });
      target.querySelector("textarea, input:not([type=hidden])")?.focus();
    } else if (isField(target)) { target.focus(); target.select?.(); } else { target.click(); }
    return true;
  }

  function go(key) {
    const link = document.querySelector(`a[data-go="${CSS.escape(key)}"]`);
    if (!link) return false;
    link.click();
    return true;
  }

  function showHelp() {
    const dialog = help();
    if (!dialog) return false;
    if (dialog.open) dialog.close(); else dialog.showModal();
    return true;
  }

  function act(key, at) {
    if (at - goPressedAt < GO_TIMEOUT_MS) { goPressedAt = -Infinity; return go(key); }
    if (key === "g") { goPressedAt = at; return true; }
    if (key === "j") return step(1);
    if (key === "k") return step(-1);
    if (key === "enter") return openRow();
    if (key === "x") return pickRow();
    if (key === "a") return actOnPicked() || takeRow() || press("a");
    return press(key);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key.length > 1) return;
    if (isField(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
    if (event.key === "?") { if (showHelp()) event.preventDefault(); return; }
    if (!areOn() || help()?.open) return;
    if (act(event.key.toLowerCase(), event.timeStamp)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-keys-help]")) showHelp();
  });

  function showSwitch() {
    const on = areOn();
    for (const bar of document.querySelectorAll("[data-keys-bar]")) bar.hidden = !on;
    for (const box of document.querySelectorAll("[data-keys-switch]")) box.checked = on;
  }

  document.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement) || !event.target.matches("[data-keys-switch]")) return;
    try { localStorage.setItem(SWITCH, event.target.checked ? "on" : "off"); } catch { event.target.checked = true; }
    showSwitch();
  });

  // A swapped table keeps its selected row; where the focus stood on it, the focus comes back.
  let hadFocus = false;
  document.addEventListener("htmx:beforeSwap", () => { hadFocus = Boolean(current()?.contains(document.activeElement)); });
  document.addEventListener("htmx:afterSwap", () => { const row = current(); if (row) mark(row, hadFocus); });
  showSwitch();
})();
