// The limits of WebTransport sessions, to include in the props of socklets: `props: { ...webTransportProps, … }`.

import { prop, type PropsOf } from "@hemi/internal";

/** The props of components that accept WebTransport sessions. */
export const webTransportProps = {
  /** Maximum number of streams of a session that are open at once. One more of the client is refused. */
  maxSessionStreams: prop.integer({ default: 100, min: 1, max: 10_000, inherited: true, reload: "live" }),
  /** Time limit for the client's end of the session after ours. After that, its stream is broken off. */
  closeTimeout: prop.duration({ default: "5s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * The origins whose pages may open a session, such as `https://shop.example`; `*` for any. Unset: the page's own
   * host, and programs, which send no origin. Others get 403; otherwise any web page could act in its visitor's name.
   */
  origins: prop.strings({ inherited: true, reload: "live" }),
};

/** The values of `webTransportProps`. */
export type WebTransportSettings = PropsOf<typeof webTransportProps>;

/** For components without their own settings. */
export const defaultSettings: WebTransportSettings = { maxSessionStreams: 100, closeTimeout: 5000, origins: undefined };
