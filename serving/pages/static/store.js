// Who looks at the page, and their stars; kept in this browser, a list for each person.

const PERSON = "cinematch.person";
const keyOf = (person) => `cinematch.stars.${person}`;

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // private windows may refuse: the stars then last as long as the page
  }
}

export const NOBODY = 0;

export class Store {
  constructor() {
    this.become(Number(read(PERSON, NOBODY)) || NOBODY);
  }

  become(person) {
    this.person = person;
    const kept = read(keyOf(person), []);
    this.rated = new Map((Array.isArray(kept) ? kept : []).map((movie) => [movie.movieId, movie]));
    write(PERSON, person);
  }

  rate({ movieId, title, genres }, rating) {
    this.rated.delete(movieId); // the latest comes last
    if (rating) this.rated.set(movieId, { movieId, title, genres, rating });
    write(keyOf(this.person), [...this.rated.values()]);
  }

  clear() {
    this.rated.clear();
    write(keyOf(this.person), []);
  }

  get ratings() {
    return [...this.rated.values()].map(({ movieId, rating }) => ({ movieId, rating }));
  }
}
