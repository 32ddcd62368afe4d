// A fetch app that tells the URL.

export default (request: Request): Response => new Response(request.url);
