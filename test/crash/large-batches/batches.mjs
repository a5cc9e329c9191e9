const words =
  'harbour orchard railway library glacier bakery desert theatre market castle garden bridge river island tower'.split(
    ' ',
  );

/** Documents of a batch: enough text for a thread. Every third one replaces a document of the batch before. */
export function batchOf(batch, size = 600) {
  return Array.from({ length: size }, (_, place) => {
    const number = batch * size + place - (place % 3 === 2 ? size : 0);
    return { id: `document ${number}`, text: textOf(number, batch), metadata: { batch } };
  });
}

/** The text that a batch gives a document. */
export function textOf(number, batch) {
  const picked = Array.from(
    { length: 40 },
    (_, place) => words[(number * 7 + batch * 3 + place * place) % words.length],
  );
  return `Report ${number} of batch ${batch}: ${picked.join(' ')}`;
}
