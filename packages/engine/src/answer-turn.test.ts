import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AnswerTurn, maxHeldAnswers } from './answer-turn.ts';

describe('AnswerTurn', () => {
  it('ends what comes in one turn together, in order, when the turn is over', async () => {
    const { turn, answerWith, ended } = begin();
    for (const body of ['one', undefined, 'three']) answerWith(turn, body);
    await Promise.resolve();
    assert.deepEqual(ended, []);
    await nextTurn();
    assert.deepEqual(ended, ['one', undefined, 'three']);
    answerWith(turn, 'later');
    await nextTurn();
    assert.equal(ended.length, 4);
  });

  it('holds no more than its limit', async () => {
    const { turn, answerWith, ended } = begin();
    for (let count = 0; count < maxHeldAnswers + 1; count += 1) answerWith(turn, String(count));
    assert.equal(ended.length, maxHeldAnswers);
    await nextTurn();
    assert.deepEqual(ended.at(-1), String(maxHeldAnswers));
    assert.equal(ended.length, maxHeldAnswers + 1);
  });
});

function begin() {
  const ended: unknown[] = [];
  // Only `end` is called, and its answer is not looked at.
  const response = { end: ((body: unknown) => ended.push(body)) as never };
  const answerWith = (turn: AnswerTurn, body: string | undefined): void => turn.end(response, body);
  return { turn: new AnswerTurn(), answerWith, ended };
}
