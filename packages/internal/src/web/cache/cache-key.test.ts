import { expect, test } from "vitest";
import { askedRequest } from "./asked-request.ts";
import { urlOf } from "./cache-key.ts";

test("requests that differ in one part of their URL have different ones, in whichever order they come", () => {
  const urls = [
    "https://a.example/x",
    "http://a.example/x",
    "http://a.example/y",
    "http://a.example/x?y",
    "http://b.example/x",
    "https://b.example/x",
    "https://b.example:8443/x",
  ];
  const requests = urls.map((url) => askedRequest(url, {}));
  for (let step = 1; step < urls.length; step++) {
    for (let i = 0; i < urls.length; i++) {
      const at = (i * step) % urls.length;
      expect(requests[at] && urlOf(requests[at])).toBe(urls[at]);
    }
  }
});

test("the port is left out where it is that of the scheme", () => {
  expect(urlOf(askedRequest("https://A.example:443/x", {}))).toBe("https://a.example/x");
  expect(urlOf(askedRequest("http://a.example:443/x", {}))).toBe("http://a.example:443/x");
  expect(urlOf(askedRequest("http://a.example:80/x", {}))).toBe("http://a.example/x");
});
