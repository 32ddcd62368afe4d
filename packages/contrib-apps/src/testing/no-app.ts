export default { fetch: 1, other: 2 };
