// Small comforts of every page; each page works without them.
// Copy buttons, menus that close, focus on the first wrong field, and elements that only make sense with script.
"use strict";

document.documentElement.classList.add("has-script");

function showCopyButtons(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const word = button.querySelector("span");
  if (!word) {
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1500);
    return;
  }
  const before = word.textContent;
  word.textContent = button.dataset.copied;
  setTimeout(() => { word.textContent = before; }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  if (event.target.closest("[data-print]")) window.print();
  for (const menu of document.querySelectorAll("details.g-menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.g-menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("htmx:afterSwap", () => showCopyButtons(document));
showCopyButtons(document);
document.querySelector("[aria-invalid='true']")?.focus();
