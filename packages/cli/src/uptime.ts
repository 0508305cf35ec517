// How long the start took, from the moment the system made the process.

/** `0.42 s`. */
export function startedIn(): string {
  return `${(performance.now() / 1000).toFixed(2)} s`;
}
