// Suggests a severity from the plain questions, by the contract's definitions; the choice stays the customer's.
"use strict";

{
  const questions = document.querySelector("[data-severity-questions]");
  const says = document.querySelector("[data-severity-says]");

  function answer(name) {
    return questions.querySelector(`[name="ask-${name}"]:checked`)?.value;
  }

  function level() {
    const [business, data, application, machines] = ["business", "data", "application", "machines"].map(answer);
    if (business === "yes" || data === "yes" || (application === "yes" && machines === "many")) return 1;
    if (business === undefined || data === undefined || application === undefined || machines === undefined) return 0;
    if (application === "yes" || machines === "many") return 2;
    return machines === "some" ? 3 : 4;
  }

  function suggest() {
    const suggested = level();
    for (const tag of document.querySelectorAll("[data-suggested]")) tag.hidden = Number(tag.dataset.suggested) !== suggested;
    const tag = document.querySelector(`[data-suggested="${suggested}"]`);
    const word = tag?.closest("label").querySelector(".g-sev .w").textContent;
    says.textContent = word ? says.dataset.say.replace("{level}", `${suggested} ${word.toLowerCase()}`) : "";
  }

  questions?.addEventListener("change", suggest);
}
