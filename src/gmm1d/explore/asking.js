"use strict";
// How the page of gmm1d explore asks: one thing at a time of each kind, and every failure is a sentence.

const $ = (id) => document.getElementById(id);
const lanes = {}; // what is under way: "data", "view", "file", "code", at most one of each

function say(own, text) {
  own.text = text;
  $("busy").textContent = Object.values(lanes).map((lane) => lane.text).find(Boolean) ?? "";
}

// Let a person do something, in place of what is under way in the same lane; a failure is a sentence.
const doing = (lane, work, failed = () => {}) => async (...args) => {
  lanes[lane]?.abort();
  const own = (lanes[lane] = Object.assign(new AbortController(), { busy: true }));
  const wait = setTimeout(() => say(own, "Working …"), 250);
  $("problem").hidden = true;
  try {
    await work(own.signal, ...args);
  } catch (error) {
    if (own.signal.aborted) return;
    $("problem").textContent = error.message;
    $("problem").hidden = false;
    failed();
  } finally {
    clearTimeout(wait);
    own.busy = false;
    say(own, "");
  }
};

async function reach(signal, path, options = {}) {
  const answer = await fetch(path, { ...options, signal }).catch(() => {
    signal.throwIfAborted();
    throw new Error("gmm1d does not answer any more: is the command still running?");
  });
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({}));
  throw new Error(error ?? `gmm1d answers ${answer.status}`);
}

const get = async (signal, path) => (await reach(signal, path)).json();

async function ask(signal, path, question) {
  return (await reach(signal, path, { method: "POST", body: JSON.stringify(question) })).json();
}

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), { textContent: text });
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function fillTable(table, { header, rows }, chosen = -1) {
  const row = (first, ...cells) => {
    const made = element("tr", "");
    made.append(first, ...cells);
    return made;
  };
  table.tHead.replaceChildren(row(...header.map((cell) => element("th", cell, { scope: "col" }))));
  table.tBodies[0].replaceChildren(
    ...rows.map(([first, ...rest]) => row(element("th", first, { scope: "row" }), ...rest.map((cell) => element("td", cell)))),
  );
  table.tBodies[0].rows[chosen]?.classList.add("chosen");
}
