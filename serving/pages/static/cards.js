// Movies as cards and as rows.

import { genresOf } from "./genres.js";
import { draw, familyOfMovie } from "./poster.js";
import { inWords, stars } from "./stars.js";

// "Matrix, The (1999)" is "The Matrix" of 1999.
export function nameOf(movie) {
  const [, name, year] = /^(.*?)(?:\s*\((\d{4})\))?\s*$/.exec(movie.title);
  const [, main, article] = /^(.*), (The|A|An|La|Le|Les|Il|El|Der|Die|Das)$/.exec(name) ?? [];
  return { name: main ? `${article} ${main}` : name, year: year ?? "" };
}

function clone(id, movie) {
  const element = document.getElementById(id).content.firstElementChild.cloneNode(true);
  const { name, year } = nameOf(movie);
  element.dataset.movie = movie.movieId;
  element.classList.add(familyOfMovie(movie));
  element.querySelector(".title").textContent = name;
  draw(element.querySelector(".art"), movie);
  return { element, name, year };
}

function strong(text) {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}

// Which of the user's own films speak for this one; the API's sentence where it names none.
function fillReason(element, movie) {
  if (!movie.because?.length) {
    element.textContent = movie.reason ?? "";
    return;
  }
  const parts = movie.because.slice(0, 2).flatMap((liked, place) => [
    place ? " and " : "",
    strong(nameOf(liked).name),
    liked.rating ? ` (${inWords(liked.rating)})` : "",
  ]);
  element.replaceChildren("Because of ", ...parts, ".");
}

export function card(movie, { value = 0, onRated, onLike }) {
  const { element, name, year } = clone("card", movie);
  element.querySelector(".year").textContent = year;
  element.querySelector(".genre-names").textContent = genresOf(movie).join(", ");
  const expected = element.querySelector(".expected");
  if (movie.expected) expected.append(strong(movie.expected.toFixed(1)), " stars expected");
  else expected.remove();
  fillReason(element.querySelector(".reason"), movie);
  stars(element.querySelector(".stars"), movie, value, onRated);
  const like = element.querySelector(".like");
  like.setAttribute("aria-label", `More like ${name}`);
  like.addEventListener("click", onLike);
  return element;
}

export function row(movie, { onRated, onLike, onRemove }) {
  const { element, name, year } = clone("row", movie);
  if (year) {
    const small = document.createElement("span");
    small.className = "soft";
    small.textContent = ` ${year}`;
    element.querySelector(".title").append(small);
  }
  stars(element.querySelector(".stars"), movie, movie.rating, onRated);
  const like = element.querySelector(".like");
  like.setAttribute("aria-label", `Similar to ${name}`);
  like.addEventListener("click", onLike);
  const remove = element.querySelector(".remove");
  remove.setAttribute("aria-label", `Remove ${name}`);
  remove.addEventListener("click", onRemove);
  return element;
}
