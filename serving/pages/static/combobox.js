// A text field with a list of movies below it, after the ARIA pattern "editable combobox".

import { search } from "./api.js";
import { nameOf } from "./cards.js";
import { genresOf } from "./genres.js";
import { familyOfMovie } from "./poster.js";

const PAUSE = 150; // milliseconds after the last key before the API is asked

export function combobox(input, list, status, onChosen) {
  let movies = [];
  let active = -1;
  let timer;
  let running;

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (movie) => {
    input.value = "";
    status.textContent = "";
    close();
    onChosen(movie);
  };
  const mark = (place) => {
    active = place;
    [...list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === place)));
    input.setAttribute("aria-activedescendant", list.children[place].id);
    list.children[place].scrollIntoView({ block: "nearest" });
  };
  const option = (movie, place) => {
    const { name, year } = nameOf(movie);
    const element = document.createElement("li");
    const swatch = document.createElement("span");
    const text = document.createElement("span");
    const small = document.createElement("small");
    element.id = `${list.id}-${place}`;
    element.className = familyOfMovie(movie);
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", "false");
    swatch.className = "swatch";
    swatch.setAttribute("aria-hidden", "true");
    text.textContent = name;
    small.textContent = [year, ...genresOf(movie).slice(0, 3)].filter(Boolean).join(" · ");
    element.append(swatch, text, small);
    element.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    element.addEventListener("click", () => choose(movie));
    return element;
  };
  const show = (found) => {
    movies = found;
    list.replaceChildren(...found.map(option));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    status.textContent = found.length ? "" : "No film with such a title. Try fewer letters.";
    if (found.length) mark(0);
  };
  const look = async () => {
    running?.abort();
    const query = input.value.trim();
    if (!query) {
      status.textContent = "";
      return close();
    }
    running = new AbortController();
    try {
      show(await search(query, running.signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      close();
      status.textContent = error.message;
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      close();
    } else if (list.hidden) {
      if (event.key === "ArrowDown" && movies.length && input.value) look();
      return;
    } else if (event.key === "ArrowDown") mark((active + 1) % movies.length);
    else if (event.key === "ArrowUp") mark((active - 1 + movies.length) % movies.length);
    else if (event.key === "Enter") choose(movies[active]);
    else return;
    event.preventDefault();
  });
}
