// The 200 routes that both sides of the mapper comparison have.

const sections = ["users", "orders", "items", "carts", "pages", "posts", "teams", "files", "tags", "notes"];

/** Two hundred patterns with one parameter each, in the syntax that both sides share. */
export const routes: readonly string[] = sections.flatMap((section) =>
  Array.from({ length: 20 }, (_, i) => `/api/v${i}/${section}/:id/${section === "tags" ? "detail" : "view"}`),
);

/** One of them, as it is asked for: neither the first nor the last. */
export const askedRoute = "/api/v13/posts/4711/view";
