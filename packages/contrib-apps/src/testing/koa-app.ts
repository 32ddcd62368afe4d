// A Koa app that uses what Koa apps use.

import { Readable } from "node:stream";
import Koa from "koa";

const app = new Koa({ proxy: true });
app.silent = true;

app.use(async (ctx, next) => {
  await next();
  ctx.set("x-after", "1");
});
app.use(async (ctx) => {
  switch (ctx.path) {
    case "/":
      ctx.body = "hello from Koa";
      break;
    case "/json":
      ctx.body = { query: ctx.query, ip: ctx.ip, secure: ctx.secure, host: ctx.host };
      break;
    case "/echo":
      ctx.body = ctx.req;
      break;
    case "/stream":
      ctx.type = "text";
      ctx.body = Readable.from(["a", "b", "c"]);
      break;
    case "/cookies":
      ctx.cookies.set("a", "1");
      ctx.status = 204;
      break;
    case "/throws":
      throw new Error("a middleware that throws");
    case "/teapot":
      ctx.throw(418, "short and stout");
      break;
    case "/raw":
      ctx.respond = false;
      ctx.res.end("raw");
      break;
  }
});

export default app;
