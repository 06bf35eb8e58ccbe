// The page "/": search, stars, recommendations and their reasons.

import * as api from "./api.js";
import { card, nameOf, row } from "./cards.js";
import { combobox } from "./combobox.js";
import { familyOf, tellingGenre } from "./genres.js";
import { inWords } from "./stars.js";
import { NO_USER, Store } from "./store.js";

const PAGE = 12; // movies shown at a time
const MOST = 96;
const MOST_STARS = 1000; // the latest; the API takes no more
const ENOUGH = 3; // stars from which the list is called one's own
const RETRY = 3000; // milliseconds until the API is asked again

const $ = (id) => document.getElementById(id);
const store = new Store();
const wishes = { genres: new Set(), years: {}, diversity: 0, shown: PAGE };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let chosen = null; // a movie that was searched for and waits for its stars
let known = null; // what the model knows of the user
let running; // the latest question
let retry;
let listed = []; // movie ids of the list before

const films = (n) => (n === 1 ? "1 film" : `${n} films`);

// ---- your stars

function rate(movie, rating, from) {
  store.rate(movie, rating);
  if (chosen?.movieId === movie.movieId) chosen = null;
  const said = rating ? `${nameOf(movie).name}: ${inWords(rating)}.` : `${nameOf(movie).name} removed.`;
  showRated(from === "row" ? movie.movieId : undefined);
  refresh(said);
}

function showRated(focused) {
  const movies = [...store.rated.values()].reverse();
  if (chosen) movies.unshift({ ...chosen, rating: 0 });
  $("rated").replaceChildren(...movies.map((movie) => row(movie, {
    onRated: (rating) => rate(movie, rating, "row"),
    onLike: () => showSimilar(movie),
    onRemove: () => remove(movie),
  })));
  $("rated-empty").hidden = movies.length > 0;
  $("clear").hidden = store.rated.size < 2;
  $("rated-title").textContent = store.rated.size ? `Your stars: ${films(store.rated.size)}` : "Your stars";
  $("intro").hidden = store.rated.size > 0 || store.user !== NO_USER;
  $("saving").hidden = store.user === NO_USER || !store.rated.size;
  $("save").textContent = `Keep ${films(store.rated.size)} for user ${store.user}`;
  if (focused) $("rated").querySelector(`[data-movie="${focused}"] input`)?.focus();
}

function remove(movie) {
  rate(movie, 0);
  $("rated-title").focus();
}

function choose(movie) {
  chosen = store.rated.has(movie.movieId) ? null : movie;
  showRated(movie.movieId);
  say(`${nameOf(movie).name}: give it stars with the arrow keys, or the digits 1 to 5.`);
}

// ---- recommendations

// The first movies that bring something new: a genre that says most about them, not shown yet.
function spread(movies) {
  const seen = new Map();
  const place = (movie) => {
    const genre = tellingGenre(movie);
    seen.set(genre, (seen.get(genre) ?? 0) + 1);
    return seen.get(genre);
  };
  return movies.map((movie, i) => [place(movie), i, movie]).sort(([a, i], [b, j]) => a - b || i - j).map(([, , movie]) => movie);
}

const starsOf = (movieId) => store.rated.get(movieId)?.rating
  ?? known?.ratings.find((movie) => movie.movieId === movieId)?.rating;

const starting = () => store.user === NO_USER && !store.rated.size;
const narrowed = () => wishes.genres.size > 0 || Object.keys(wishes.years).length > 0;

function wish() {
  const asked = { user_id: store.user, top_k: starting() && !narrowed() ? MOST : wishes.shown, ...wishes.years };
  if (store.rated.size) asked.ratings = store.ratings.slice(-MOST_STARS);
  if (wishes.genres.size) asked.genres = [...wishes.genres];
  if (wishes.diversity) asked.diversity = wishes.diversity;
  return asked;
}

async function refresh(said = "") {
  running?.abort();
  clearTimeout(retry);
  running = new AbortController();
  $("picks").setAttribute("aria-busy", "true");
  try {
    const answer = await api.recommend(wish(), running.signal);
    const found = answer.recommendations.map((movie) => ({
      ...movie,
      expected: movie.predicted_rating,
      because: (movie.because ?? []).map((liked) => ({ rating: starsOf(liked.movieId), ...liked })),
    }));
    const movies = (starting() && !narrowed() ? spread(found) : found).slice(0, wishes.shown);
    warn("");
    await change(() => showPicks(movies, answer));
    const first = movies[0];
    say(`${said} ${$("picks-title").textContent}: ${films(movies.length)}${first ? `, first ${nameOf(first).name}` : ""}.`);
  } catch (error) {
    if (error.name === "AbortError") return;
    fail(error);
  }
}

function fail(error) {
  const texts = {
    0: "The service does not answer. Your stars are safe in this browser; the page keeps trying.",
    503: "No model answers yet: the first one is being trained. The page will notice when it arrives.",
  };
  warn(texts[error.status] ?? error.message);
  $("picks").setAttribute("aria-busy", "false");
  if ([0, 429].includes(error.status) || error.status >= 500) retry = setTimeout(refresh, RETRY);
}

function warn(text) {
  $("notice").hidden = !text;
  $("notice").textContent = text;
}

function say(text) {
  $("status").textContent = text.trim();
}

// Let cards glide to their new places, where the browser can and the user wants it.
function change(update) {
  if (!document.startViewTransition || calm.matches || document.hidden) return update();
  const transition = document.startViewTransition(update);
  for (const promise of [transition.ready, transition.finished]) promise.catch(() => {});
  return transition.updateCallbackDone.catch(() => {});
}

function heading(answer) {
  const n = store.rated.size;
  const { year_from: from, year_to: to } = wishes.years;
  const years = from && to ? `${from} to ${to}` : from ? `from ${from} on` : to ? `up to ${to}` : "";
  const genres = wishes.genres.size ? `${[...wishes.genres].join(" or ")} only` : "";
  const among = [genres, years].filter(Boolean).map((words) => `, ${words}`).join("");
  if (starting()) return ["Which of these do you know?", `Films that many users love${among}. Give stars to those you have seen.`];
  if (answer.strategy === "popular" || answer.strategy === "genre") return ["Loved by many", `Your films say nothing yet${among}.`];
  const source = store.user === NO_USER ? `From ${films(n)} you rated` : n ? `From what the model learnt of user ${store.user}, and ${films(n)} rated here` : `From what the model learnt of user ${store.user}`;
  const left = ENOUGH - n;
  const more = store.user === NO_USER && left > 0 ? ` Rate ${left} more, and it gets closer.` : "";
  return [store.user === NO_USER ? "For you" : `For user ${store.user}`, `${source}${among}.${more}`];
}

function showPicks(movies, answer) {
  const list = $("picks");
  const place = [...list.children].findIndex((item) => item.contains(document.activeElement));
  const cards = movies.map((movie) => {
    const item = card(starting() ? { ...movie, expected: 0 } : movie, {
      onRated: (rating) => rate(movie, rating),
      onLike: () => showSimilar(movie),
    });
    item.style.viewTransitionName = `movie-${movie.movieId}`;
    item.classList.toggle("fresh", listed.length > 0 && !listed.includes(movie.movieId));
    return item;
  });
  list.replaceChildren(...cards);
  listed = movies.map((movie) => movie.movieId);
  list.setAttribute("aria-busy", "false");
  document.querySelector(".variety").hidden = starting();
  [$("picks-title").textContent, $("picks-text").textContent] = heading(answer);
  $("more").hidden = movies.length < wishes.shown || wishes.shown >= MOST;
  if (!movies.length) warn("Nothing is left to recommend with these wishes. Take one away.");
  if (place >= 0) (cards[Math.min(place, cards.length - 1)]?.querySelector("input") ?? $("picks-title")).focus();
}

// ---- more like this

async function showSimilar(movie) {
  const { name } = nameOf(movie);
  $("similar-title").textContent = `More like ${name}`;
  $("similar-text").textContent = "Looking…";
  $("similar-list").replaceChildren();
  if (!$("similar").open) $("similar").showModal();
  try {
    const movies = await api.similar(movie.movieId);
    $("similar-text").textContent = movies.length ? "Users who like it tend to like these." : "The model knows no similar films: too few users rated this one.";
    $("similar-list").replaceChildren(...movies.map((other) => card({ ...other, reason: "" }, {
      value: store.rated.get(other.movieId)?.rating ?? 0,
      onRated: (rating) => rate(other, rating),
      onLike: () => showSimilar(other),
    })));
    $("similar").scrollTop = 0;
  } catch (error) {
    $("similar-text").textContent = error.message;
  }
}

// ---- who you are

async function become(user) {
  try {
    known = user === NO_USER ? null : await api.user(user);
    if (known && !known.known) throw new api.ApiError(404, "");
  } catch (error) {
    $("user-problem").textContent = error.status === 404 ? `The model knows no user with the number ${user}. Try a smaller one.` : error.message;
    return;
  }
  $("users").close();
  store.become(user);
  chosen = null;
  wishes.shown = PAGE;
  showUser();
  showRated();
  refresh();
}

function showUser() {
  const user = store.user;
  $("who").textContent = user === NO_USER ? "You" : `User ${user}`;
  $("change-user").textContent = user === NO_USER ? "Choose a user" : "Change";
  if (user === NO_USER) {
    $("who-text").textContent = "You are new here. Your stars stay in this browser.";
    return;
  }
  const loved = [...(known?.ratings ?? [])].sort((a, b) => b.rating - a.rating).slice(0, 3);
  $("who-text").textContent = known
    ? `${films(known.n_ratings)} rated in the data${loved.length ? `; loves ${loved.map((movie) => nameOf(movie).name).join(", ")}` : ""}.`
    : "A user of the data.";
}

// Whether a rating is kept: the model in production may lack the film.
async function keep(rating) {
  try {
    await api.store(rating);
    return true;
  } catch (error) {
    if (error.status === 404) return false;
    throw error;
  }
}

async function save() {
  const { user, ratings } = store;
  const text = $("save-text");
  let kept = 0;
  const some = () => `Kept ${kept} of ${films(ratings.length)}`;
  try {
    for (const rating of ratings) if (await keep({ user_id: user, ...rating })) kept += 1;
    const known = kept === ratings.length ? "Kept" : `${some()}: the model does not know the rest`;
    text.textContent = `${known}. ${kept ? "They count from now on, and are in the next weekly batch." : ""}`;
  } catch (error) {
    const problem = error.status === 401 ? "this page has been open for too long. Load it again; your stars still count here." : error.message;
    text.textContent = `${kept ? some() : "Not kept"}: ${problem}`;
  }
}

// ---- wishes

const WORDS = ["close to your taste", "a little mixed", "mixed", "varied", "as varied as it gets"];

let pause;
function soon(said) {
  clearTimeout(pause);
  pause = setTimeout(() => refresh(said), 200);
}

function wire() {
  combobox($("search"), $("found"), $("search-status"), choose);
  for (const chip of $("genres").children) {
    const { genre } = chip.dataset;
    chip.classList.add(familyOf(genre));
    chip.addEventListener("click", () => {
      const on = !wishes.genres.delete(genre);
      if (on) wishes.genres.add(genre);
      chip.setAttribute("aria-pressed", String(on));
      wishes.shown = PAGE;
      soon("");
    });
  }
  for (const [id, key] of [["year-from", "year_from"], ["year-to", "year_to"]]) {
    $(id).addEventListener("input", () => {
      const { value, validity } = $(id);
      if (!validity.valid) return; // a year that is still being typed
      if (value) wishes.years[key] = Number(value);
      else delete wishes.years[key];
      wishes.shown = PAGE;
      soon("");
    });
  }
  $("variety").addEventListener("input", () => {
    wishes.diversity = Number($("variety").value);
    const words = WORDS[Math.round(wishes.diversity * (WORDS.length - 1))];
    $("variety-text").textContent = words;
    $("variety").setAttribute("aria-valuetext", words);
    soon("");
  });
  $("more").addEventListener("click", () => {
    wishes.shown = Math.min(MOST, wishes.shown + PAGE);
    refresh();
  });
  $("clear").addEventListener("click", () => {
    store.clear();
    showRated();
    refresh("All stars removed.");
    $("rated-title").focus();
  });
  $("save").addEventListener("click", save);
  $("change-user").addEventListener("click", () => {
    $("user-problem").textContent = "";
    $("users").showModal();
  });
  $("users").addEventListener("submit", (event) => {
    if (event.submitter?.value === "close") return;
    event.preventDefault();
    const user = Number($("user").value);
    if (user > 0) become(user);
    else $("user-problem").textContent = "A number is expected, such as 15.";
  });
  for (const button of document.querySelectorAll("[data-user]")) {
    button.addEventListener("click", () => become(Number(button.dataset.user)));
  }
  document.addEventListener("model", ({ detail }) => {
    if (detail.before !== null && detail.now !== null) refresh(`Model ${detail.now} answers now.`);
    else if (detail.now !== null && !$("genres").children.length) location.reload();
  });
}

wire();
showUser();
showRated();
refresh();
if (store.user !== NO_USER) {
  api.user(store.user).then((answer) => {
    known = answer;
    showUser();
  }, () => {}); // what is not known is not shown; the list says what is wrong
}
