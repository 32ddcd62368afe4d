// A fetch app that a test puts another one into.

export const current: { fetch: (request: Request) => unknown } = { fetch: () => new Response(null) };

export default (request: Request): unknown => current.fetch(request);
