import { expect, test } from "vitest";
import type { WebappPart } from "../kinds.ts";
import { AltServices } from "./alt-services.ts";

const webapp: WebappPart = {
  hostnames: ["*"],
  settings: new Map(),
  get webapp() {
    return webapp;
  },
  handle: () => false,
  notFound: () => undefined,
};

test("the field says all services that are announced, each once, for as long as they are", () => {
  const services = AltServices.of(webapp);
  const [one, other] = [{}, {}];
  services.announce(one, 'h3=":443"');
  services.announce(other, 'h3=":444"');
  expect(AltServices.of(webapp).field).toBe('h3=":443", h3=":444"');
  services.announce(other, 'h3=":443"');
  expect(services.field).toBe('h3=":443"');
  services.withdraw(one);
  services.withdraw(other);
  expect(services.field).toBe("");
});
