// For whoever is not signed in: how to get a sign-in link, and a field to paste one.

import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { Mark } from '../shell/mark.tsx';
import { readSignInToken } from './sign-in-token.ts';
import './sign-in-page.css';

interface SignInPageProps {
  /** A link was tried and did not do. */
  readonly linkFailed: boolean;
  readonly isBusy: boolean;
  readonly onToken: (token: string) => void;
}

export function SignInPage({ linkFailed, isBusy, onToken }: SignInPageProps): ReactNode {
  const [isMistyped, setMistyped] = useState(false);
  const fieldId = useId();
  const noteId = useId();

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const pasted = new FormData(event.currentTarget).get('link');
    const token = readSignInToken(typeof pasted === 'string' ? pasted : '');
    setMistyped(token === undefined);
    if (token !== undefined) onToken(token);
  }

  const problem = isMistyped ? 'This is not a sign-in link. It ends in “#token=” and some letters.' : undefined;
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Mark />
        <h1>Sign in to Stowage</h1>
        {linkFailed ? (
          <div role="alert" className="sign-in-failed">
            <p className="sign-in-problem">This sign-in link was used already, or has expired.</p>
            <p>To get another one:</p>
            <ul>
              <li>
                If you run Stowage, stop it in its terminal with Ctrl-C and start it again (<code>npm start</code>): it
                shows a new link.
              </li>
              <li>If somebody invited you, ask them to invite you again.</li>
            </ul>
            <p>Open the new link in this browser, or paste it here.</p>
          </div>
        ) : (
          <p>
            The terminal that Stowage runs in shows a sign-in link. Open it in this browser, or paste it here. It works
            once.
          </p>
        )}
        <form onSubmit={submit}>
          <label htmlFor={fieldId}>Sign-in link</label>
          <div className="sign-in-row">
            <input
              id={fieldId}
              name="link"
              type="text"
              autoComplete="off"
              spellCheck={false}
              placeholder={`${location.origin}/sign-in#token=…`}
              aria-describedby={noteId}
              aria-invalid={isMistyped}
              required
            />
            <button type="submit" className="button" data-kind="primary" disabled={isBusy}>
              Sign in
            </button>
          </div>
          <p id={noteId} role="status" className="sign-in-problem">
            {problem}
          </p>
        </form>
      </div>
    </main>
  );
}
