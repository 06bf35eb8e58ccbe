// Posters without pictures: a motif for each genre, drawn a little differently for each movie.

import { familyOf, tellingGenre } from "./genres.js";

const SVG = "http://www.w3.org/2000/svg";

// A small generator of numbers in [0, 1), the same ones for the same movie.
function numbers(seed) {
  let state = seed >>> 0;
  return () => { // splitmix32
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

const circle = (x, y, r, tone) => ["circle", { cx: x, cy: y, r, class: tone }];
const ring = (x, y, r) => ["circle", { cx: x, cy: y, r, class: "line" }];
const box = (x, y, width, height, tone) => ["rect", { x, y, width, height, class: tone }];
const shape = (d, tone) => ["path", { d, class: tone }];
const times = (n, draw) => Array.from({ length: n }, (_, i) => draw(i));

const MOTIFS = {
  "Drama": (at) => { // two halves that do not quite meet
    const y = 34 + at() * 16, slip = 10 + at() * 22;
    return [shape(`M20 ${y + 26}a40 40 0 0 1 80 0z`, "one"), shape(`M${20 + slip} ${y + 30}a40 40 0 0 0 80 0z`, "two")];
  },
  "Comedy": (at) => { // dots, and one that is out of line
    const odd = Math.floor(at() * 16);
    return times(16, (i) => circle(20 + (i % 4) * 27, 20 + Math.floor(i / 4) * 27, i === odd ? 17 : 8, i === odd ? "two" : "one"));
  },
  "Action": (at) => { // slanted bars
    const start = at() * 20 - 30;
    return times(5, (i) => shape(`M${start + i * 34} 120l44 -120h${8 + at() * 14}l-44 120z`, i % 2 ? "two" : "one"));
  },
  "Adventure": (at) => { // peaks and a sun
    const x = 30 + at() * 60;
    return [circle(120 - x, 36, 15, "two"), shape(`M-20 120L${x} 34L${x + 70} 120z`, "one"), shape(`M${x - 4} 120L${x + 38} 66L${x + 84} 120z`, "two")];
  },
  "War": (at) => { // chevrons
    const y = at() * 14;
    return times(5, (i) => shape(`M-60 ${y + 88 + i * 26}l120 -76l120 76v12l-120 -76l-120 76z`, i % 2 ? "two" : "one"));
  },
  "Children": (at) => // building blocks
    times(9, (i) => {
      const x = 15 + (i % 3) * 30, y = 15 + Math.floor(i / 3) * 30, tone = at() < 0.5 ? "one" : "two";
      return at() < 0.5 ? box(x, y, 30, 30, tone) : circle(x + 15, y + 15, 15, tone);
    }),
  "Romance": (at) => { // two circles that overlap
    const near = 14 + at() * 8, y = 52 + at() * 16;
    return [circle(60 - near, y, 33, "one"), circle(60 + near, y, 33, "two see-through")];
  },
  "Musical": (at) => { // waves
    const high = 12 + at() * 14;
    return times(5, (i) => shape(`M-10 ${22 + i * 20}q17.5 ${-high} 35 0t35 0t35 0t35 0`, i % 2 ? "line second" : "line"));
  },
  "Crime": (at) => { // light through blinds
    const x = 30 + at() * 60, slat = 14 + at() * 10;
    return [circle(x, 60, 26 + at() * 18, "one"), ...times(14, (i) => box(-60, -20 + i * slat, 240, slat * (0.3 + at() * 0.25), "two"))];
  },
  "Film-Noir": (at) => { // a beam in the dark
    const x = 20 + at() * 30;
    return [shape(`M${x} 0L120 60V120H${x + 6}z`, "one"), circle(x + 36, 84, 20, "two")];
  },
  "Thriller": (at) => { // squares that turn inwards
    const turn = 6 + at() * 8;
    return times(5, (i) => ["rect", { x: 16 + i * 9, y: 16 + i * 9, width: 88 - i * 18, height: 88 - i * 18, class: i % 2 ? "two" : "one", transform: `rotate(${i * turn} 60 60)` }]);
  },
  "Mystery": (at) => { // a keyhole
    const y = 42 + at() * 10;
    return [circle(60, 60, 46, "two"), circle(60, y, 17, "one"), shape(`M52 ${y}h16l9 48h-34z`, "one")];
  },
  "Horror": (at) => [ // teeth
    ...times(6, (i) => shape(`M${i * 22 - 6} 0h22l-11 ${30 + at() * 34}z`, "one")),
    ...times(6, (i) => shape(`M${i * 22 - 17} 120h22l-11 ${-24 - at() * 30}z`, "two")),
  ],
  "Sci-Fi": (at) => { // orbits
    const angle = at() * 6.28, outer = angle + 2 + at() * 2;
    return [ring(60, 60, 50), ring(60, 60, 34), circle(60, 60, 10 + at() * 14, "one"),
      circle(60 + 34 * Math.cos(angle), 60 + 34 * Math.sin(angle), 7, "two"),
      circle(60 + 50 * Math.cos(outer), 60 + 50 * Math.sin(outer), 4.5, "one")];
  },
  "IMAX": (at) => times(4, (i) => box(8 + i * 13, 20 + i * (9 + at() * 3), 104 - i * 26, 80 - i * 20, i % 2 ? "two" : "one")),
  "Animation": (at) => // quarters of circles
    times(9, (i) => {
      const x = 9 + (i % 3) * 34, y = 9 + Math.floor(i / 3) * 34;
      return ["path", { d: `M${x} ${y}h34a34 34 0 0 1 -34 34z`, class: at() < 0.55 ? "one" : "two", transform: `rotate(${Math.floor(at() * 4) * 90} ${x + 17} ${y + 17})` }];
    }),
  "Fantasy": (at) => { // stars of four points
    const star = (x, y, r, tone) => shape(`M${x} ${y - r}q${r * 0.16} ${r * 0.84} ${r} ${r}q${-r * 0.84} ${r * 0.16} ${-r} ${r}q${-r * 0.16} ${-r * 0.84} ${-r} ${-r}q${r * 0.84} ${-r * 0.16} ${r} ${-r}z`, tone);
    const x = 42 + at() * 30, y = 50 + at() * 20;
    return [star(x, y, 34 + at() * 14, "one"), ...times(4, (i) => star(x + (24 + at() * 34) * Math.cos(i * 1.6 + 0.7), y + (24 + at() * 34) * Math.sin(i * 1.6 + 0.7), 6 + at() * 12, i % 2 ? "one" : "two"))];
  },
  "Western": (at) => { // a low sun
    const x = 36 + at() * 48;
    return [circle(x, 66, 34, "one"), ...times(4, (i) => box(0, 68 + i * 14, 120, 5 + i * 2.2, "two"))];
  },
  "Documentary": (at) => times(12, (i) => box(12 + (i % 4) * 25, 20 + Math.floor(i / 4) * 28, 21, 23, at() < 0.6 ? "one" : "two")),
};

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export function draw(art, movie) {
  const motif = MOTIFS[tellingGenre(movie)] ?? MOTIFS.Documentary;
  const at = numbers(movie.movieId);
  const scale = 0.8 + at() * 0.5;
  const mirror = at() < 0.5 ? -1 : 1;
  const group = make("g", {
    transform: `translate(60 60) scale(${mirror * scale} ${scale}) translate(-60 -60)`,
    class: at() < 0.35 ? "swapped" : "",
  });
  group.append(...motif(at).map((element) => make(...element)));
  art.replaceChildren(group);
}

export const familyOfMovie = (movie) => familyOf(tellingGenre(movie));
