import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CircuitBreaker, type CircuitState, openCircuitBreaker } from './circuit-breaker.ts';

function open(): { readonly circuit: CircuitBreaker; readonly states: CircuitState[]; nowMs: number } {
  const states: CircuitState[] = [];
  const world = { states, nowMs: 0 };
  const circuit = openCircuitBreaker({
    failures: 3,
    openMs: 1_000,
    maxOpenMs: 4_000,
    monotonicClock: () => world.nowMs,
    onChange: (state) => states.push(state),
  });
  return Object.assign(world, { circuit });
}

test('it opens after so many failures in a row, and a success between them counts', () => {
  const { circuit } = open();
  circuit.failed();
  circuit.failed();
  circuit.succeeded();
  circuit.failed();
  circuit.failed();
  assert.equal(circuit.state, 'closed');
  circuit.failed();
  assert.equal(circuit.state, 'open');
  assert.equal(circuit.admit(), 1_000);
});

test('after its time one request tries, and its success closes it', () => {
  const world = open();
  const { circuit, states } = world;
  for (let count = 0; count < 3; count++) circuit.failed();
  world.nowMs = 999;
  assert.equal(circuit.admit(), 1);
  world.nowMs = 1_000;
  assert.equal(circuit.admit(), undefined);
  assert.equal(circuit.admit(), 1_000, 'the others wait for the trial');
  circuit.succeeded();
  assert.equal(circuit.admit(), undefined);
  assert.deepEqual(states, ['open', 'half-open', 'closed']);
});

test('a trial that fails doubles the time, up to the longest', () => {
  const world = open();
  const { circuit } = world;
  for (let count = 0; count < 3; count++) circuit.failed();
  for (const waitMs of [1_000, 2_000, 4_000, 4_000]) {
    assert.equal(circuit.admit(), waitMs);
    world.nowMs += waitMs;
    assert.equal(circuit.admit(), undefined);
    circuit.failed();
  }
});

test('a trial that is never heard of does not hold it for ever', () => {
  const world = open();
  const { circuit } = world;
  for (let count = 0; count < 3; count++) circuit.failed();
  world.nowMs = 1_000;
  assert.equal(circuit.admit(), undefined);
  world.nowMs = 5_000;
  assert.equal(circuit.admit(), undefined);
});

test('a trial that is given up is followed by another, and the time stays as it was', () => {
  const world = open();
  const { circuit } = world;
  for (let count = 0; count < 3; count++) circuit.failed();
  world.nowMs = 1_000;
  assert.equal(circuit.admit(), undefined);
  circuit.released();
  assert.equal(circuit.admit(), undefined);
  assert.equal(circuit.admit(), 1_000);
  circuit.failed();
  assert.equal(circuit.admit(), 2_000);
});
