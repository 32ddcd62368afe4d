// A fetch app that tells whether what it gets and makes is real: only that has the private fields which the real
// methods read.

export default (request: Request): Response => {
  const response = new Response("x");
  return new Response(`${sortOf(request)} request, ${sortOf(response)} response`);
};

function sortOf(value: Request | Response): "real" | "light" {
  const native = value instanceof Request ? Request.prototype : Response.prototype;
  try {
    Reflect.get(native, "bodyUsed", value);
    return "real";
  } catch {
    return "light";
  }
}
