// Puts classes in the place of the global Request and Response whose objects are light, and takes them away again.
//
//   new Response(text)      a light one, and so is that of Response.json: most are only sent
//   new Request(request)    takes light requests as well, and makes real ones
//   fetch(request)          takes light requests as well
//
// In all else they are the real ones: prototypes, static methods, `instanceof`, classes that extend them. Who took a
// global into a variable before has the real one.

import { NativeRequest } from "./fetch-request.ts";
import { LightRequest, realRequestOf } from "./light-request.ts";
import { LightResponse, makeLightResponse, NativeResponse } from "./light-response.ts";

/**
 * Puts them there, if nobody has yet. What it returns takes them away, once all who asked for them have called that.
 * Twice is harmless.
 */
export function overrideGlobals(): () => void {
  if (users++ === 0) restore = replaceAll();
  let isUsed = true;
  return function release() {
    if (!isUsed) return;
    isUsed = false;
    if (--users === 0) restore();
  };
}

let users = 0;
let restore = noop;

function replaceAll(): () => void {
  const nativeFetch = globalThis.fetch;
  const replaced = [
    replace("Request", requestClass()),
    replace("Response", responseClass()),
    replace("fetch", function fetch(input: Parameters<typeof nativeFetch>[0], init?: RequestInit) {
      return nativeFetch(realRequestOf(input), init);
    }),
  ];
  return () => replaced.forEach((putBack) => putBack());
}

/** What it returns puts the old one back, unless somebody else has replaced ours. */
function replace(name: "Request" | "Response" | "fetch", value: unknown): () => void {
  const native: unknown = globalThis[name];
  Object.defineProperty(globalThis, name, { value });
  return () => {
    if (globalThis[name] === value) Object.defineProperty(globalThis, name, { value: native });
  };
}

function requestClass(): unknown {
  function Request(...args: readonly unknown[]): object {
    const real = args.map((arg, i) => (i === 0 ? realRequestOf(arg) : arg));
    return Reflect.construct(NativeRequest, real, targetOf(new.target, Request, NativeRequest)) as object;
  }
  likeNative(Request, NativeRequest);
  // So that `new request.constructor(request)` takes it, too.
  Object.defineProperty(LightRequest.prototype, "constructor", { value: Request, writable: true, configurable: true });
  return Request;
}

function responseClass(): unknown {
  function Response(body?: unknown, init?: unknown): object {
    if (new.target === Response) {
      const light = makeLightResponse(body, init);
      if (light !== undefined) return light;
    }
    return Reflect.construct(
      NativeResponse,
      [body ?? null, init],
      targetOf(new.target, Response, NativeResponse),
    ) as object;
  }
  likeNative(Response, NativeResponse);
  function json(data: unknown, init?: ResponseInit): object {
    const text: unknown = JSON.stringify(data);
    const light = typeof text === "string" ? makeLightResponse(text, init, "application/json") : undefined;
    return light ?? NativeResponse.json(data, init);
  }
  Object.defineProperty(Response, "json", { value: json, writable: true, configurable: true, enumerable: true });
  Object.defineProperty(LightResponse.prototype, "constructor", {
    value: Response,
    writable: true,
    configurable: true,
  });
  return Response;
}

/**
 * The class whose prototype the object gets: a subclass keeps its own. `target` is missing where ours is called without
 * `new`.
 */
function targetOf(target: unknown, ours: unknown, native: NewableFunction): NewableFunction {
  if (target === ours) return native;
  if (typeof target === "function") return target;
  throw new TypeError(`Class constructor ${native.name} cannot be invoked without 'new'`);
}

/** The same prototype, so that `instanceof` holds both ways, and the same static methods. */
function likeNative(ours: object, native: NewableFunction): void {
  Object.setPrototypeOf(ours, native);
  Object.defineProperty(ours, "prototype", { value: native.prototype, writable: false });
}

function noop(): void {}
