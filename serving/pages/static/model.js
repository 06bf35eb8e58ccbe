// The corner that says which model answers, and that it changed.

import { version } from "./api.js";

const PAUSE = 2000; // milliseconds between two looks
const NEWS = 60_000; // how long a change is news

const corner = document.getElementById("model");
const name = document.getElementById("model-name");
const when = document.getElementById("model-when");
const facts = document.getElementById("model-facts");
const news = document.getElementById("model-news");

let shown = null; // the version in the corner
let changed = 0; // when it changed under this page

const number = new Intl.NumberFormat("en");
const time = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const moment = (text) => time.format(new Date(text));

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function describe({ model, problem, service }) {
  const rows = model ? [
    ["Trained", moment(model.trained_at)],
    ["For the week of", model.week],
    ["Serving since", moment(model.loaded_at)],
    ["Learnt from", `${number.format(model.n_ratings)} ratings`],
    ["Knows", `${number.format(model.n_users)} users, ${number.format(model.n_movies)} films`],
    ["Method", model.algorithm],
    ["Came from", model.source],
    ["Service", service],
  ] : [];
  const list = document.createElement("dl");
  for (const [term, text] of rows) list.append(element("dt", term), element("dd", text));
  const title = element("h3", model ? `Model ${model.version} answers` : "No model answers yet");
  facts.replaceChildren(title, list);
  if (problem) facts.append(element("p", problem, "problem"));
}

function show(answer) {
  const found = answer.model?.version ?? null;
  const before = shown;
  if (found !== before) {
    shown = found;
    if (before !== null && found !== null) {
      changed = Date.now();
      news.textContent = `Model ${found} answers now, in place of model ${before}.`;
    }
  }
  const fresh = changed && Date.now() - changed < NEWS;
  corner.dataset.state = !found ? "none" : fresh ? "new" : "some";
  name.textContent = !found ? "No model yet" : `Model ${found}`;
  when.textContent = !found ? "" : fresh ? "new just now" : `trained ${day.format(new Date(answer.model.trained_at))}`;
  describe(answer);
  if (found !== before) {
    document.dispatchEvent(new CustomEvent("model", { detail: { before, now: found } }));
  }
}

async function look() {
  try {
    show(await version());
  } catch {
    corner.dataset.state = "away";
    name.textContent = "Service away";
    when.textContent = "";
  }
}

async function watch() {
  if (!document.hidden) await look();
  setTimeout(watch, PAUSE);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && corner.open) {
    corner.open = false;
    corner.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  if (corner.open && !corner.contains(event.target)) corner.open = false;
});
watch();
