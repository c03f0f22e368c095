// Asks the server which severity the plain answers point to, and shows it; the choice stays the customer's.
"use strict";

{
  const questions = document.querySelector("[data-severity-questions]");
  const says = document.querySelector("[data-severity-says]");
  let asked = 0;

  function show(suggestion) {
    for (const tag of document.querySelectorAll("[data-suggested]")) tag.hidden = Number(tag.dataset.suggested) !== suggestion.severity;
    says.textContent = suggestion.severity ? suggestion.sentence : "";
  }

  async function suggest() {
    const mine = (asked += 1);
    const answers = new URLSearchParams();
    for (const chosen of questions.querySelectorAll("input:checked")) answers.set(chosen.name, chosen.value);
    try {
      const answer = await fetch(`${questions.dataset.severityUrl}?${answers}`, { credentials: "same-origin" });
      if (answer.ok && mine === asked) show(await answer.json());
    } catch {
      says.textContent = ""; // without a connection nothing is suggested, and any level can be chosen
    }
  }

  questions?.addEventListener("change", suggest);
}
