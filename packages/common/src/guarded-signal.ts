// An AbortSignal whose listeners are others' code. Node.js throws what they throw once more, from its event loop, which
// would end the process.

import { guarded } from "./guarded.ts";

type AddListener = AbortSignal["addEventListener"];
type Listener = NonNullable<Parameters<AddListener>[1]>;

/**
 * The signal itself. From here on `failed` is called for what its listeners throw, and for what asynchronous ones
 * reject with; it must not throw. Signals that are made of this one, by `AbortSignal.any`, have listeners of their own,
 * which nobody guards.
 */
export function guardSignal(signal: AbortSignal, failed: (error: unknown) => void): AbortSignal {
  const guards = new WeakMap<Listener, (event: Event) => void>();
  const addEventListener = signal.addEventListener.bind(signal);
  const removeEventListener = signal.removeEventListener.bind(signal);

  function guardOf(listener: Listener): (event: Event) => void {
    let guard = guards.get(listener);
    if (guard === undefined) guards.set(listener, (guard = (event) => guarded(() => call(listener, event), failed)));
    return guard;
  }

  function call(listener: Listener, event: Event): unknown {
    if (typeof listener !== "function") return listener.handleEvent(event);
    return Reflect.apply(listener, signal, [event]);
  }

  // `onabort` goes by way of these, too.
  Object.defineProperties(signal, {
    addEventListener: replacing((type, listener, options) => {
      if (listener !== null) addEventListener(type, guardOf(listener), options);
    }),
    removeEventListener: replacing((type, listener, options) => {
      const guard = listener === null ? undefined : guards.get(listener);
      if (guard !== undefined) removeEventListener(type, guard, options);
    }),
  });
  return signal;
}

type Replacement = (type: string, listener: Listener | null, options?: Parameters<AddListener>[2]) => void;

function replacing(value: Replacement): PropertyDescriptor {
  return { configurable: true, writable: true, value };
}
