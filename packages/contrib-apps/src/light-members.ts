// What light stand-ins of Request and Response have in common: they are in the chain of the real class, so that
// `instanceof` holds, and what they do not tell by themselves they leave to a real object, made when it is first
// needed.

/** Puts `light` into the chain of `native`, and gives it all of its members that it lacks, each by way of `realOf`. */
export function leaveRestTo<Light extends object>(
  light: Light,
  native: object,
  realOf: (light: Light) => object,
): void {
  Object.setPrototypeOf(light, native);
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(native))) {
    if (Object.hasOwn(light, name)) continue;
    const { enumerable = false } = descriptor;
    if (typeof descriptor.value === "function") {
      Object.defineProperty(light, name, {
        value: passedOn(name, realOf),
        writable: true,
        configurable: true,
        enumerable,
      });
    } else {
      Object.defineProperty(light, name, { get: askedOf(name, realOf), configurable: true, enumerable });
    }
  }
}

function askedOf<Light extends object>(name: string, realOf: (light: Light) => object) {
  return function get(this: Light): unknown {
    return Reflect.get(realOf(this), name);
  };
}

function passedOn<Light extends object>(name: string, realOf: (light: Light) => object) {
  return function method(this: Light, ...args: unknown[]): unknown {
    const real = realOf(this);
    const native: unknown = Reflect.get(real, name);
    if (typeof native !== "function") throw new TypeError(`${name} is not a function`);
    return Reflect.apply(native, real, args);
  };
}

/** Gives `to` the fields of `from`, and no others. */
export function copyHeaders(from: Headers, to: Headers): void {
  if (from === to) return;
  for (const name of [...to.keys()]) to.delete(name);
  for (const [name, value] of from) to.append(name, value);
}
