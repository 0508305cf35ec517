import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionNames, actions, roleAllows, roleNames, roles } from './rights.ts';

test('an owner may all that is a tenant’s, and no role may what is the service’s', () => {
  for (const action of actionNames) {
    assert.equal(roleAllows('owner', action), actions[action].judged !== 'service', action);
    if (actions[action].judged === 'service') assert.ok(roleNames.every((role) => !roleAllows(role, action)));
  }
});

test('only an owner looks after people, the log and what is deleted for good', () => {
  for (const role of roleNames.filter((name) => name !== 'owner')) {
    for (const action of ['members:write', 'audit:read', 'files:purge', 'webhooks:write'] as const) {
      assert.equal(roleAllows(role, action), false, `${role} ${action}`);
    }
    assert.equal(new Set<string>(roles[role].actions).size, roles[role].actions.length);
  }
});

test('who has no role in the tenant has nothing there but their own keys', () => {
  const held = actionNames.filter((action) => roleAllows('none', action));
  assert.deepEqual(held, ['keys:read', 'keys:write']);
});
