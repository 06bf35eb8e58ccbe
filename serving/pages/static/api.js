// The API, as this page uses it.

export class ApiError extends Error {
  // status is 0 when the service did not answer at all
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, body, signal) {
  const options = body === undefined ? { signal } : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The service does not answer.");
  }
  const document = await answer.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (!answer.ok) throw new ApiError(answer.status, document.detail ?? answer.statusText);
  return document;
}

export const version = () => ask("version");
export const user = (id) => ask(`users/${id}`);
export const recommend = (wish, signal) => ask("recommend", wish, signal);
export const store = (rating) => ask("ratings", rating);

export async function search(query, signal) {
  return (await ask(`movies?${new URLSearchParams({ query, top_k: 8 })}`, undefined, signal)).movies;
}

export async function similar(movieId) {
  return (await ask(`movies/${movieId}/similar?top_k=12`)).similar;
}
