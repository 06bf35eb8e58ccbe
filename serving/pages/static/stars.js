// Half stars: a native slider for keyboards and screen readers, a row of stars for the mouse and for fingers.

const PAUSE = 400; // milliseconds after the last key before a rating counts

export const inWords = (stars) => (stars === 1 ? "1 star" : `${stars} stars`);

export function stars(holder, movie, value, onRated) {
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: 0, max: 5, step: 0.5, value });
  input.setAttribute("aria-label", `Your stars for ${movie.title}`);
  const row = document.createElement("span");
  row.className = "star-row";
  row.setAttribute("aria-hidden", "true");
  const number = document.createElement("span");
  number.className = "star-number";
  number.setAttribute("aria-hidden", "true");
  holder.replaceChildren(input, row, number);

  let timer;
  let counted = value;
  const show = (shown) => {
    row.style.setProperty("--share", `${shown * 20}%`);
    number.textContent = shown ? shown.toFixed(1) : "";
    input.setAttribute("aria-valuetext", shown ? inWords(shown) : "not rated");
  };
  const commit = () => {
    clearTimeout(timer);
    const chosen = Number(input.value);
    if (chosen !== counted) onRated((counted = chosen));
  };
  const set = (chosen, pause) => {
    input.value = chosen;
    show(chosen);
    clearTimeout(timer);
    timer = setTimeout(commit, pause);
  };
  const under = (event) => {
    const { left, width } = row.getBoundingClientRect();
    return Math.min(5, Math.max(0.5, Math.ceil(((event.clientX - left) / width) * 10) / 2));
  };

  input.addEventListener("input", () => set(Number(input.value), PAUSE));
  input.addEventListener("change", () => set(Number(input.value), PAUSE));
  input.addEventListener("blur", commit);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") commit();
    else if (/^[0-5]$/.test(event.key)) set(Number(event.key), PAUSE);
    else if (event.key === "Delete" || event.key === "Backspace") set(0, PAUSE);
    else return;
    event.preventDefault();
  });
  row.addEventListener("pointermove", (event) => event.pointerType === "mouse" && show(under(event)));
  row.addEventListener("pointerleave", () => show(Number(input.value)));
  row.addEventListener("click", (event) => set(under(event), 0));
  show(value);
  return input;
}
