"use strict";
// A page that holds a replay and nothing else.

(async () => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { scene, climb } = read("content");
  const element = document.getElementById("replay");
  const picture = await Picture.in(element, read("specs"), scene);
  (await Replay.in(element, read("specs"), picture)).load(climb);
})();
