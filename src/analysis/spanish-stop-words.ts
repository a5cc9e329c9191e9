/**
 * Spanish stop words: the words of grammar, by class. The list of @orama/stopwords has words that documents are about as well, such as
 * `general`, `lugar` or `trabajo`.
 */
export const spanishStopWords: readonly string[] = [
  // Articles, with their contractions.
  'el la lo los las al del un una unos unas',
  // Personal and possessive pronouns.
  'yo tú vos usted ustedes él ella ello ellos ellas nosotros nosotras vosotros vosotras me te se nos os le les mí ti sí conmigo contigo consigo',
  'mi mis tu tus su sus mío mía míos mías tuyo tuya tuyos tuyas suyo suya suyos suyas',
  'nuestro nuestra nuestros nuestras vuestro vuestra vuestros vuestras',
  // Demonstratives, relatives, interrogatives and indefinites.
  'este esta esto estos estas ese esa eso esos esas aquel aquella aquello aquellos aquellas',
  'que qué quien quién quienes quiénes cual cuál cuales cuáles cuyo cuya cuyos cuyas cuanto cuánto cuando cuándo donde dónde como cómo',
  'algo alguien algún alguno alguna algunos algunas nada nadie ningún ninguno ninguna cada otro otra otros otras todo toda todos todas',
  'mucho mucha muchos muchas poco poca pocos pocas tanto tanta tantos tantas',
  // Prepositions and conjunctions.
  'a ante bajo con contra de desde durante en entre hacia hasta para por según sin sobre tras',
  'y e o u ni pero sino si porque pues aunque mientras',
  // Adverbs that qualify other words.
  'no más menos muy tan ya aún también tampoco solo sólo así',
  // Auxiliary verbs.
  'ser soy eres es somos sois son era eras éramos erais eran fui fuiste fue fuimos fuisteis fueron sea seas seamos seáis sean',
  'será serás serán seremos sería serías serían fuera fueras fuéramos fueran fuese fuesen sido siendo',
  'estar estoy estás está estamos estáis están estaba estabas estábamos estaban estuvo estuvieron esté estés estén estará estarán',
  'estaría estarían estando',
  'haber he has ha hemos habéis han hay había habías habíamos habían hubo hubieron haya hayas hayamos hayan habrá habrán habría habrían',
  'hubiera hubieran habido habiendo',
  'tener tengo tienes tiene tenemos tenéis tienen tenía tenías teníamos tenían tuvo tuvieron tenga tengas tengamos tengan tendrá tendrán',
  'tendría tendrían tenido teniendo',
].flatMap((words) => words.split(' '));
