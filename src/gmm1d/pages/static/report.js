"use strict";
// The page of a write-up: switches k, moves the threshold, replays EM.

(async () => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const [content, specs] = [read("content"), read("specs")];

  const look = document.getElementById("look");
  const picture = await Picture.in(look, specs, content.scene);
  const threshold = new Threshold(look.querySelector("[data-threshold]"), picture);
  const show = (k) => {
    const { mixture, boundaries } = content.fits[k];
    picture.show(mixture, { boundaries });
    threshold.start(boundaries);
  };
  for (const input of look.querySelectorAll("[name=k]")) input.addEventListener("change", () => show(input.value));
  show(look.querySelector("[name=k]:checked").value);

  const criteria = document.querySelector("[data-chart=criteria]");
  if (criteria) {
    const chart = await Chart.in(criteria, specs.criteria, criteria.parentElement.dataset.label);
    drawCriteria(chart, content.criteria, content.chosen);
  }

  const replay = document.getElementById("replay");
  if (replay) {
    const stage = await Picture.in(replay, specs, content.scene);
    (await Replay.in(replay, specs, stage)).load(content.replay.climb);
  }
})();
