/** Frequent function words of languages that `detectLanguage` distinguishes, about as many of each. */
export const frequentWords: Readonly<Record<string, string>> = {
  en: `the of and to in is that for it as with be on by this are or from at an not have has was were can will if when which
    you your they their there all but what do does how we our its been more than may must should no only use used i my he she his her
    about into would could them these those one other some any so up out`,
  de: `und der die das nicht ist wird werden wurde wurden mit für auf eine einen einem einer dem des zur zum beim nach kann sind
    auch oder durch bei vom von den es sich aus als wenn wie im ein nur noch haben hat über keine dieser diese dieses ohne zwischen
    unsere sie ich wir`,
  nl: `het een van niet wordt worden zijn voor met deze dit ook naar bij door kan aan heeft maar geen uit over om dan als of en de
    te op er die dat indien moet hebben wel alle zal kunnen`,
  sv: `och att det är som inte för med den ett på av till kan från eller om har när ska detta alla så en de var men vid till under
    mellan får inga också`,
  da: `og ikke det er som til på af med den for en et kan fra hvis eller skal har når dette bruges alle vil blive bliver ved være at
    de der også kun hver efter mellem ind ud`,
  no: `og ikke det er som til på av med den for en et kan fra hvis eller skal har når dette brukes alle vil bli blir ved være å
    de der også bare hver etter mellom inn ut jeg`,
  fi: `ja on ei se että ovat jos tai kun voi mutta myös joka oli tämä vain kuin sen ole niin sekä jotka tämän voidaan ennen kanssa
    mukaan koska eivät olla hän kaikki siitä`,
  hu: `és az hogy nem egy van vagy ez ha csak meg kell lesz amely ezt azt már mint lehet majd el fel ki még volt minden ennek annak
    akkor nincs illetve között`,
  fr: `les des une est dans pour avec sont cette être ont plus peut aux leur comme mais donc très tous toutes après chaque lorsque
    sans vers le la de du et un que qui pas ne par sur il elle au ce ces son sa ses été était ou où si`,
  es: `los las una del para con como pero más este esta son por que cada muy está también sin sobre hay el la de en y un se no es lo
    su sus al o fue ser cuando desde puede entre hasta`,
  it: `ogni viene vengono questo questa della delle degli anche essere può sono alla dei nel nella più perché quando tutti tra dopo
    molto senza il lo gli la le di del e un una che non per con si da al ha hanno è come se i ai lo ed dal sul state stato`,
  pt: `os as uma não com para dos das você são mais como pelo pela ao aos também ou seu sua está isso foi nos na em um é do da se
    que de o e por ser quando até nas no muito entre sem`,
  ro: `și în nu este sau care din cu pentru pe mai sunt dacă prin acest această fi poate la de se o un ale lui fost cel cele între
    când fără după va si`,
  tr: `ve bir bu için ile olarak daha gibi veya olan değil her ise kadar çok ne en var ya da de mi ki sonra ancak tüm eğer şu
    olduğu kullanılır`,
  id: `dan yang di ini untuk dengan tidak dari dalam adalah pada akan atau ke juga itu oleh sebagai bisa dapat jika ada saya kami
    mereka telah seperti`,
  lt: `ir yra kad su į iš bet ar ne tai kaip nuo jei gali arba per prie buvo jo jos šis ši yra tik kai apie savo iki`,
  ga: `agus an na ar is tá sa le go do ag bhí mar atá seo sin níl nach ach leis ina faoi gan`,
  pl: `nie na do się jest że to jak lub dla po oraz są przez od jeśli może tego który która które ma być jego czy i w z o za co
    tylko tym`,
  cs: `je se na že do pro jako není nebo které který která tento pokud jsou při být aby to tak ale jeho své podle mezi v s z i`,
  ca: `els les amb una per que és són això del dels més aquest aquesta però com també el la de i en un ser no o seva`,
  vi: `của và các là không được cho trong một này với khi người những có để từ đến nếu`,
  hr: `je se da na su koji što kao nije za od ili iz ako samo koja koje bi ne to u i s te biti ima`,
  sr: `је се да на су који што као није за од или из ако само која које би не то у и с те бити има`,
  ru: `и в на не что как для это с по или из от к он она они был была было при если же так но за то до все его их`,
  uk: `і в на не що як для це з та або від до він вона вони був була було при якщо ж так але за то у всі його їх`,
  bg: `и в на не че как за това с по или от към той тя те беше ако но се да е са до при които който ще може`,
  hi: `है के में की और से का को हैं पर यह एक ने लिए कि नहीं था भी`,
  ne: `छ को र मा हो छन् यो पनि लाई ले गर्न एक भने थियो तर गरेको हुन्छ`,
};
