// Which colours a genre has, and which of a movie's genres says most about it.

const FAMILIES = {
  ember: ["Action", "Adventure", "War"],
  sun: ["Comedy", "Children"],
  rose: ["Romance", "Musical"],
  blue: ["Drama"],
  night: ["Crime", "Film-Noir", "Thriller", "Mystery"],
  blood: ["Horror"],
  sky: ["Sci-Fi", "IMAX"],
  leaf: ["Animation", "Fantasy"],
  sand: ["Western", "Documentary"],
};

// The rarer a genre, the more it says: these go before the common ones.
const TELLING = [
  "Film-Noir", "Western", "Musical", "Documentary", "Horror", "War", "Animation", "Sci-Fi", "Fantasy",
  "Mystery", "Crime", "Romance", "Children", "Adventure", "Action", "Thriller", "Comedy", "Drama",
];

export const familyOf = (genre) =>
  Object.keys(FAMILIES).find((family) => FAMILIES[family].includes(genre)) ?? "sand";

export function genresOf(movie) {
  return movie.genres.split("|").filter((genre) => genre && !genre.startsWith("("));
}

export function tellingGenre(movie) {
  const genres = genresOf(movie);
  return TELLING.find((genre) => genres.includes(genre)) ?? genres[0] ?? "";
}
