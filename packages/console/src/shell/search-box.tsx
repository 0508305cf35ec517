// Finds files by a piece of their name. What is typed goes into the address a moment later; "/" leads here, Escape empties it.

import { useNavigate, useSearch } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { withName } from '../files/files-search.ts';
import './search-box.css';

const settleMs = 220;

export function SearchBox(): ReactNode {
  const search = useSearch({ from: '/' });
  const { name = '' } = search;
  const navigate = useNavigate({ from: '/' });
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(name);
  const [known, setKnown] = useState(name);
  // The address changed by other means (back, a cleared search).
  if (name !== known) {
    setKnown(name);
    setText(name);
  }

  useEffect(() => {
    if (text === name) return undefined;
    const timer = setTimeout(() => {
      setKnown(text);
      void navigate({ search: withName(search, text), replace: true });
    }, settleMs);
    return () => clearTimeout(timer);
  }, [text, name, search, navigate]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target;
      const isTyping = target instanceof HTMLElement && target.matches('input, textarea, [contenteditable]');
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  return (
    <search className="search-box">
      <Search size={17} aria-hidden="true" />
      <input
        ref={field}
        type="search"
        aria-label="Search files by name"
        aria-keyshortcuts="/"
        placeholder="Search"
        title="Finds files that have these letters in their name"
        maxLength={256}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setText('');
        }}
      />
      <span className="search-key" aria-hidden="true">
        /
      </span>
    </search>
  );
}
