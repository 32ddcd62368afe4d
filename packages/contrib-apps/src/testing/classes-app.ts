// A fetch app that does with the web's classes what apps do with them, and tells what it saw.

import { inspect } from "node:util";

type Route = (request: Request) => unknown;

const requests: { readonly [path: string]: Route } = {
  "/new": async (request) => {
    const other = new Request(request, { headers: { "x-other": "yes" } });
    return told(other.method, other.url, other.headers.get("x-other"), other.headers.get("x"), await other.text());
  },
  "/new-elsewhere": async (request) => {
    const other = new Request("http://other.example/y", request);
    return told(other.method, other.url, other.headers.get("x"), await other.text());
  },
  "/subclass": async (request) => {
    class OwnRequest extends Request {
      readonly isOwn = true;
    }
    const own = new OwnRequest(request);
    return told(own.isOwn, own instanceof Request, own.url, await own.text());
  },
  "/its-class": async (request) => {
    const Class = request.constructor as typeof Request;
    return told(Class.name.endsWith("Request"), await new Class(request.url, request).text());
  },
  "/cloned": async (request) => {
    request.headers.set("x", "changed");
    const copy = request.clone();
    const headers = copy.headers.get("x");
    return told(copy instanceof Request, headers, await copy.text(), request.bodyUsed, await request.text());
  },
  "/changed": async (request) => {
    const { headers } = request;
    await request.text();
    headers.delete("x");
    headers.append("x-new", "1");
    const other = new Request(request.url, { headers: request.headers });
    const { headers: same } = request.bodyUsed ? request : other;
    return told(other.headers.get("x"), other.headers.get("x-new"), same === headers);
  },
  "/used": async (request) => {
    const before = request.bodyUsed;
    await request.text();
    return told(
      before,
      request.bodyUsed,
      await failureOf(() => request.text()),
      await failureOf(() => new Request(request)),
    );
  },
  "/members": (request) =>
    told(request.mode, request.credentials, request.cache, request.redirect, request.duplex, request.destination),
  "/kinds": async (request) => {
    const [a, b, c] = [request.clone(), request.clone(), request.clone()];
    return told((await a.arrayBuffer()).byteLength, (await b.blob()).size, await c.json(), await request.bytes());
  },
  "/form": async (request) => told(...(await formOf(request))),
  "/looks": (request) =>
    told(
      inspect(request).replaceAll(/\s+/g, " ").slice(0, 60),
      Object.prototype.toString.call(request),
      Object.keys(request),
    ),
  "/signal": (request) =>
    told(request.signal instanceof AbortSignal, request.signal === request.signal, request.signal.aborted),
  "/fetch": (request) => fetch(request),
};

const responses: { readonly [path: string]: Route } = {
  "/text": () => new Response("täxt"),
  "/bytes": () => {
    const bytes = new Uint8Array([97, 98]);
    const response = new Response(bytes);
    bytes[0] = 0;
    return response;
  },
  "/blob": () => new Response(new Blob(["b"], { type: "text/x" })),
  "/params": () => new Response(new URLSearchParams({ a: "1 2" })),
  "/form": () => {
    const form = new FormData();
    form.set("a", "1");
    return new Response(form, { headers: { "content-type": "text/x" } });
  },
  "/stream": () => new Response(new Blob(["st", "ream"]).stream(), { headers: { "content-type": "text/x" } }),
  "/json": () => Response.json({ a: 1 }),
  "/json-init": () => Response.json([1], { status: 201, headers: { "Content-Type": "text/x", x: "1" } }),
  "/redirect": () => Response.redirect("http://other.example/ä", 307),
  "/none": () => new Response(null, { status: 204, headers: { x: "1" } }),
  "/fields": () => {
    const headers = new Headers({ x: "1" });
    const response = new Response("f", { status: 202, headers });
    headers.set("x", "2");
    response.headers.append("set-cookie", "a=1");
    response.headers.append("set-cookie", "b=2");
    return response;
  },
  "/default-fields": () => {
    const response = new Response("f");
    response.headers.set("x", response.headers.get("content-type") ?? "");
    return response;
  },
  "/pairs": () =>
    new Response("p", {
      headers: [
        ["x", "1"],
        ["x", "2"],
      ],
    }),
  "/again": () => {
    const first = new Response("again", { status: 203, headers: { x: "1" } });
    return new Response(first.body, first);
  },
  "/copied": async () => {
    const first = new Response("copied", { headers: { x: "1" } });
    first.headers.set("x", "2");
    const copy = first.clone();
    return new Response(`${await first.text()} ${first.bodyUsed}`, copy);
  },
  "/copy": () => {
    const first = new Response("copy");
    first.clone().headers.set("x", "of the copy");
    first.headers.set("x", "its own");
    return first.clone();
  },
  "/own": () => {
    class OwnResponse extends Response {
      readonly isOwn = true;
    }
    return new OwnResponse("own", { headers: { x: String(new OwnResponse() instanceof Response) } });
  },
  "/status-text": () => new Response("s", { status: 299, statusText: "Odd" }),
  "/told": async () => {
    const { status, ok, statusText, type, url, redirected, bodyUsed } = new Response("x", { status: 404 });
    const body = new Response(null).body;
    return told(status, ok, statusText, type, url, redirected, bodyUsed, body, await new Response("[1]").json());
  },
  "/looks": () =>
    told(
      new Response("x") instanceof Response,
      Response.error() instanceof Response,
      inspect(new Response("x")).replaceAll(/\s+/g, " ").slice(0, 60),
      Object.keys(new Response("x")),
      Object.prototype.toString.call(new Response("x")),
      Response.name,
    ),
  "/wrong": async () => {
    const wrong: (() => unknown)[] = [
      () => new Response("x", { status: 42 }),
      () => new Response("x", { status: 204 }),
      () => new Response("x", { headers: { "a b": "1" } }),
      () => new Response("x", { statusText: "\n" }),
      (): unknown => Reflect.construct(Response, ["x", 7]),
      (): unknown => Reflect.apply(Response, undefined, ["x"]),
      () => Response.json(undefined),
      () => Response.json(1, { status: 204 }),
      () => Response.redirect("http://a.example/", Number("200") as 302),
    ];
    return told(...(await Promise.all(wrong.map(failureOf))));
  },
  "/error": () => Response.error(),
  "/read": async () => {
    const response = new Response("read");
    await response.text();
    return response;
  },
};

export default function app(request: Request): unknown {
  const { pathname } = new URL(request.url);
  const [, kind = "", name = ""] = /^\/(request|response)(\/.*)$/.exec(pathname) ?? [];
  return (kind === "request" ? requests : responses)[name]?.(request);
}

function told(...values: readonly unknown[]): Response {
  return new Response(JSON.stringify(values));
}

/** By its own way, which those of Node.js hold to be too slow for much content. */
async function formOf(request: Request): Promise<Iterable<unknown>> {
  const read: unknown = Reflect.get(request, "formData");
  return typeof read === "function" ? (Reflect.apply(read, request, []) as Promise<Iterable<unknown>>) : [];
}

async function failureOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return "none";
  } catch (error) {
    return error instanceof Error ? error.name : "no Error";
  }
}
