// Whether the service answers what the contract says it may: asked of every answer that a test gets through the fixture, so that each
// refusal which any test provokes tells on a code that no document names. What is no route of the contract (pages, shares) is passed over.

import assert from 'node:assert/strict';
import { problemsOf, type RouteName, routeNames, routes } from '@stowage/contract';

const patterns = routeNames
  .map((name) => {
    const { method, path } = routes[name];
    const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
    return { name, method, pattern, parameters: path.split('{').length };
  })
  // `/v1/uploads/batch` before `/v1/uploads/{id}`.
  .sort((one, other) => one.parameters - other.parameters);

/** `undefined` where the contract has no such route. HEAD is answered as GET is. */
export function routeOf(request: Pick<Request, 'method' | 'url'>): RouteName | undefined {
  const { pathname } = new URL(request.url);
  const wanted = request.method === 'HEAD' ? 'GET' : request.method;
  return patterns.find(({ method, pattern }) => method === wanted && pattern.test(pathname))?.name;
}

/** Throws when a route refuses with a problem that the contract does not know of it. The answer can still be read. */
export async function requireDocumented(request: Pick<Request, 'method' | 'url'>, response: Response): Promise<void> {
  const name = routeOf(request);
  if (name === undefined || response.status < 400 || request.method === 'HEAD') return;
  const text = await response.clone().text();
  const { code } = JSON.parse(text) as { readonly code?: unknown };
  const known: readonly unknown[] = problemsOf(routes[name]);
  assert.ok(known.includes(code), `${name} answered ${text}, of which the contract knows only ${known.join(', ')}.`);
}
