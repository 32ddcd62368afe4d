// Its types are in frames.ts: so they stay out of those that are published.
declare module "ws";
