// Who looks at the page, and their stars; kept in this browser, a list for each user.

const CHOSEN = "cinematch.person";
const keyOf = (user) => `cinematch.stars.${user}`;

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

export const NO_USER = 0;

export class Store {
  constructor() {
    this.become(Number(read(CHOSEN, NO_USER)) || NO_USER);
  }

  become(user) {
    this.user = user;
    const kept = read(keyOf(user), []);
    this.rated = new Map((Array.isArray(kept) ? kept : []).map((movie) => [movie.movieId, movie]));
    write(CHOSEN, user);
  }

  rate({ movieId, title, genres }, rating) {
    this.rated.delete(movieId); // the latest comes last
    if (rating) this.rated.set(movieId, { movieId, title, genres, rating });
    write(keyOf(this.user), [...this.rated.values()]);
  }

  clear() {
    this.rated.clear();
    write(keyOf(this.user), []);
  }

  get ratings() {
    return [...this.rated.values()].map(({ movieId, rating }) => ({ movieId, rating }));
  }
}
