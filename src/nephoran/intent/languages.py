"""A few languages' words in ours, so that one grammar reads them: enough for everyday requests, no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from nephoran.intent.spelling import fold
from nephoran.intent.vocabulary import EVERYDAY


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language's words in ours."""

    words: Mapping[str, str]


def _language(pairs: Mapping[str, str]) -> Language:
    return Language({fold(foreign): ours for ours, foreigns in pairs.items() for foreign in foreigns.split()})


def _numbers(words: str) -> dict[str, str]:
    """Two to ten in a language, forms of one number divided by slashes."""
    return {ours: foreigns.replace("/", " ") for ours, foreigns in zip(_TWO_TO_TEN, words.split(), strict=True)}


_TWO_TO_TEN: Final = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_GERMAN: Final = _language(
    {
        "deploy": "bereitstellen bereit bereitzustellen deploye deployen installiere installieren erstelle erstellen"
        " ausrollen auszurollen rolle rollen lege anlegen einrichten richte stelle stellen erzeuge erzeugen betreibe"
        " betreiben hochfahren baue aufbauen",
        "start": "starte starten",
        "scale": "skaliere skalieren skalierung hochskalieren herunterskalieren hochskaliere",
        "increase": "erhöhe erhöhen vergrößere vergrößern steigere steigern aufstocken",
        "reduce": "verringere verringern reduziere reduzieren senke senken verkleinere verkleinern",
        "double": "verdopple verdoppeln verdoppele",
        "halve": "halbiere halbieren",
        "add": "hinzufügen füge ergänze ergänzen",
        "remove": "entferne entfernen",
        "delete": "lösche löschen deinstalliere deinstallieren",
        "configure": "konfiguriere konfigurieren konfiguration",
        "enable": "aktiviere aktivieren einschalten anschalten schalte",
        "encrypt": "verschlüssele verschlüsseln",
        "monitor": "überwache überwachen",
        "set": "setze setzen ändere ändern",
        "optimize": "optimiere optimieren optimierung verbessere verbessern",
        "minimize": "minimiere minimieren",
        "upgrade": "aktualisiere aktualisieren aktualisierung upgrade",
        "maintenance": "wartung wartungsfenster",
        "restart": "neustarten neustart",
        "plan": "plane planen",
        "need": "brauche brauchen benötige benötigen benötigt",
        "not": "nicht kein keine keinen",
        "to": "auf zum zur zu",
        "with": "mit",
        "without": "ohne",
        "and": "und sowie",
        "or": "oder",
        "for": "für",
        "in": "in im",
        "on": "am an",
        "from": "von vom",
        "by": "um",
        "between": "zwischen",
        "until": "bis",
        "the": "der das den dem die des ihre unser unsere",
        "a": "ein eine einen einem einer",
        "please": "bitte",
        "one": "eins",
        **_numbers("zwei drei vier fünf sechs sieben acht neun zehn"),
        "twelve": "zwölf",
        "each": "jeweils je jede jeden",
        "more": "mehr weitere weiteren zusätzliche zusätzlichen",
        "fewer": "weniger",
        "replicas": "replikate replikaten replikat replikas repliken instanzen instanz",
        "number": "anzahl",
        "namespace": "namensraum",
        "high availability": "hochverfügbarkeit hochverfügbar hochverfügbare hochverfügbaren hochverfügbares"
        " hochverfügbarer",
        "latency": "latenz verzögerung",
        "throughput": "durchsatz",
        "bandwidth": "bandbreite",
        "memory": "speicher arbeitsspeicher",
        "cores": "kerne kernen",
        "users": "nutzer nutzern benutzer teilnehmer teilnehmern",
        "devices": "geräte geräten",
        "encryption": "verschlüsselung",
        "monitoring": "überwachung",
        "network": "netz netzwerk",
        "slice": "netzwerkscheibe netzscheibe",
        "energy": "energie energieverbrauch stromverbrauch",
        "urgent": "dringend eilig",
        "immediately": "sofort",
        "autoscaling": "autoskalierung",
        "autonomous": "autonome autonomes autonomen autonomer",
        "driving": "fahren",
        "vehicles": "fahrzeuge fahrzeugen autos",
        "video streaming": "videostreaming",
        "automatic scaling": "automatisch automatische automatischer",
        "site": "standort",
        "again": "neu wieder erneut",
        "simulator": "simulatoren",
        "node": "knoten",
    }
)
_SPANISH: Final = _language(
    {
        "deploy": "desplegar despliega despliegue desplegad despliegues instalar instala instale implementar implementa"
        " implemente crear crea cree iniciar inicia lanzar lanza lance levanta levantar",
        "scale": "escalar escala escale",
        "increase": "aumentar aumenta aumente incrementar incrementa incremente ampliar amplia sube subir",
        "reduce": "reducir reduce reduzca disminuir disminuye disminuya baja bajar",
        "double": "duplicar duplica duplique",
        "add": "añadir añade añada agregar agrega",
        "delete": "eliminar elimina borrar borra",
        "configure": "configurar configura configure aplicar aplica aplique",
        "enable": "habilitar habilita habilite activar activa active",
        "optimize": "optimizar optimiza optimice mejorar mejora mejore",
        "upgrade": "actualizar actualiza actualice",
        "maintenance": "mantenimiento",
        "restart": "reiniciar reinicia reinicie",
        "plan": "programar programa programe",
        "need": "necesito necesitamos necesita",
        "not": "no",
        "to": "a hasta al",
        "with": "con",
        "without": "sin",
        "and": "y e",
        "for": "para",
        "in": "en",
        "of": "de del",
        "from": "desde",
        "the": "el la los las lo",
        "a": "un una unos unas",
        "please": "por favor",
        **_numbers("dos tres cuatro cinco seis siete ocho nueve diez"),
        "each": "cada uno",
        "more": "más adicionales",
        "replicas": "réplicas instancias instancia réplica copias",
        "namespace": "namespace espacio",
        "name": "nombres",
        "high": "alta",
        "availability": "disponibilidad",
        "latency": "latencia",
        "throughput": "rendimiento",
        "bandwidth": "ancho",
        "downlink": "bajada descarga descendente",
        "uplink": "subida ascendente",
        "memory": "memoria",
        "cores": "núcleos",
        "users": "usuarios abonados",
        "devices": "dispositivos",
        "vehicles": "vehículos coches",
        "autonomous": "autónomos",
        "encryption": "cifrado encriptación",
        "monitoring": "monitorización monitoreo supervisión",
        "network": "red",
        "slice": "segmento rebanada",
        "energy": "energético energía consumo",
        "urgent": "urgente",
        "immediately": "inmediatamente",
        "version": "versión",
        "node": "nodo nodos",
    }
)
_PORTUGUESE: Final = _language(
    {
        "deploy": "implantar implante implanta instalar instale instala criar crie cria iniciar inicie lançar lance"
        " subir suba provisionar provisione",
        "scale": "escalar escale escala escalonar escalone dimensionar",
        "increase": "aumentar aumente aumenta ampliar amplie",
        "reduce": "reduzir reduza reduz diminuir diminua",
        "double": "dobrar dobre duplicar duplique",
        "add": "adicionar adicione acrescente",
        "delete": "excluir exclua apagar apague",
        "configure": "configurar configure configura aplicar aplique",
        "enable": "habilitar habilite ativar ative",
        "optimize": "otimizar otimize otimiza melhorar melhore",
        "upgrade": "atualizar atualize atualiza",
        "maintenance": "manutenção",
        "restart": "reiniciar reinicie",
        "need": "preciso precisamos",
        "not": "não",
        "to": "a para até ao",
        "with": "com",
        "without": "sem",
        "and": "e",
        "in": "em no na nos nas",
        "of": "de do da dos das",
        "from": "desde",
        "the": "o os as",
        "a": "um uma",
        "please": "favor por",
        **_numbers("dois/duas três quatro cinco seis sete oito nove dez"),
        "each": "cada",
        "more": "mais adicionais",
        "replicas": "réplicas réplica instâncias instância cópias",
        "namespace": "namespace espaço",
        "name": "nomes",
        "high": "alta",
        "availability": "disponibilidade",
        "latency": "latência",
        "throughput": "vazão",
        "bandwidth": "largura",
        "downlink": "descida",
        "uplink": "subida",
        "memory": "memória",
        "cores": "núcleos",
        "users": "usuários utilizadores assinantes",
        "devices": "dispositivos",
        "vehicles": "veículos carros",
        "autonomous": "autônomos autónomos",
        "encryption": "criptografia",
        "monitoring": "monitoramento monitorização",
        "network": "rede",
        "slice": "fatia",
        "energy": "energia consumo",
        "urgent": "urgente",
        "immediately": "imediatamente",
        "version": "versão",
        "node": "nó nós",
    }
)
_ITALIAN: Final = _language(
    {
        "deploy": "distribuire distribuisci distribuisca installare installa installi creare crea crei avviare avvia"
        " lanciare lancia implementare implementa",
        "scale": "scalare scala scali ridimensiona",
        "increase": "aumentare aumenta aumenti incrementare incrementa",
        "reduce": "ridurre riduci riduca diminuire diminuisci",
        "double": "raddoppiare raddoppia",
        "add": "aggiungere aggiungi",
        "delete": "eliminare elimina cancellare cancella",
        "configure": "configurare configura configuri applicare applica",
        "enable": "abilitare abilita attivare attiva attivi",
        "optimize": "ottimizzare ottimizza ottimizzi migliorare migliora",
        "upgrade": "aggiornare aggiorna aggiorni",
        "maintenance": "manutenzione",
        "restart": "riavviare riavvia",
        "need": "serve servono bisogno",
        "not": "non",
        "to": "a fino ad alla",
        "with": "con",
        "without": "senza",
        "and": "e ed",
        "for": "per",
        "in": "in nel nello nella",
        "of": "di del dello della dell dei delle degli",
        "from": "da dal",
        "the": "il lo la i gli le l",
        "a": "un uno una",
        "please": "favore",
        **_numbers("due tre quattro cinque sei sette otto nove dieci"),
        "each": "ciascuno ciascuna ognuno ciascun",
        "more": "più altre ulteriori",
        "replicas": "repliche replica istanze istanza copie",
        "namespace": "namespace spazio",
        "name": "nomi",
        "high": "alta",
        "availability": "disponibilità affidabilità",
        "latency": "latenza",
        "memory": "memoria",
        "users": "utenti",
        "devices": "dispositivi",
        "vehicles": "veicoli",
        "autonomous": "autonomi",
        "encryption": "crittografia cifratura",
        "monitoring": "monitoraggio",
        "network": "rete",
        "slice": "fetta",
        "energy": "energia energetico",
        "urgent": "urgente",
        "immediately": "subito immediatamente",
        "version": "versione",
        "node": "nodo nodi",
    }
)
_FRENCH: Final = _language(
    {
        "deploy": "déployer déployez déploie installer installez installe créer créez crée lancer lancez lance démarrer"
        " démarrez démarre provisionner provisionnez",
        "scale": "échelle",
        "increase": "augmenter augmentez augmente accroître passer passez passe",
        "reduce": "réduire réduisez réduis diminuer diminuez diminue",
        "double": "doubler doublez double",
        "add": "ajouter ajoutez ajoute",
        "delete": "supprimer supprimez supprime",
        "configure": "configurer configurez configure appliquer appliquez applique",
        "enable": "activer activez active",
        "optimize": "optimiser optimisez optimise améliorer améliorez améliore",
        "upgrade": "jour",
        "put": "mettre mettez mets",
        "maintenance": "maintenance",
        "restart": "redémarrer redémarrez redémarre",
        "plan": "planifier planifiez planifie",
        "need": "besoin",
        "not": "pas",
        "to": "à jusqu vers",
        "with": "avec",
        "without": "sans",
        "and": "et",
        "for": "pour",
        "in": "dans en",
        "of": "de des du d",
        "the": "le la les l nos notre",
        "a": "un",
        "please": "veuillez",
        "one": "une seule seul",
        **_numbers("deux trois quatre cinq six sept huit neuf dix"),
        "each": "chacun chacune chaque",
        "more": "plus supplémentaires",
        "replicas": "répliques réplique instances instance réplicas réplica copies",
        "namespace": "namespace espace",
        "name": "noms",
        "number": "nombre",
        "high": "haute",
        "availability": "disponibilité",
        "latency": "latence",
        "throughput": "débit",
        "bandwidth": "bande",
        "downlink": "descendant",
        "uplink": "montant",
        "memory": "mémoire",
        "cores": "cœurs",
        "gb": "go",
        "mb": "mo",
        "node": "nœud nœuds",
        "users": "utilisateurs abonnés",
        "devices": "appareils objets",
        "vehicles": "véhicules voitures",
        "autonomous": "autonomes",
        "encryption": "chiffrement",
        "monitoring": "surveillance supervision",
        "network": "réseau",
        "slice": "tranche",
        "energy": "énergie énergétique consommation",
        "immediately": "immédiatement",
    }
)
_DUTCH: Final = _language(
    {
        "deploy": "rol uitrollen installeer installeren maak aanmaken start starten implementeer zet",
        "scale": "schaal schalen opschalen afschalen",
        "increase": "verhoog verhogen vergroot",
        "reduce": "verlaag verlagen verminder verminderen",
        "double": "verdubbel",
        "add": "voeg toevoegen",
        "delete": "verwijder verwijderen",
        "configure": "configureer configureren",
        "enable": "activeer activeren",
        "optimize": "optimaliseer optimaliseren verbeter",
        "upgrade": "upgraden bijwerken",
        "update": "werk",
        "maintenance": "onderhoud",
        "restart": "herstart",
        "need": "nodig",
        "not": "niet geen",
        "to": "naar tot",
        "with": "met",
        "without": "zonder",
        "and": "en",
        "for": "voor",
        "in": "in binnen",
        "on": "op",
        "from": "van",
        "the": "de het uit bij",
        "a": "een",
        "please": "alsjeblieft graag",
        **_numbers("twee drie vier vijf zes zeven acht negen tien"),
        "each": "elk elke ieder",
        "more": "meer extra",
        "replicas": "replica's replica replicas instanties instantie",
        "namespace": "namespace naamruimte",
        "high availability": "hoogbeschikbare",
        "latency": "latentie vertraging",
        "version": "versie",
        "network": "netwerk",
    }
)
_POLISH: Final = _language(
    {
        "deploy": "wdróż wdrożyć zainstaluj utwórz uruchom stwórz",
        "scale": "skaluj przeskaluj",
        "increase": "zwiększ",
        "reduce": "zmniejsz",
        "delete": "usuń",
        "configure": "skonfiguruj",
        "enable": "włącz",
        "optimize": "zoptymalizuj optymalizuj",
        "upgrade": "zaktualizuj",
        "to": "do",
        "with": "z ze",
        "and": "i oraz",
        "for": "dla",
        "in": "w",
        **_numbers("dwa/dwie/dwóch trzy/trzech cztery pięć sześć siedem osiem dziewięć dziesięć"),
        "each": "każdy każda",
        "replicas": "repliki replik replikami instancje instancji instancjami",
        "namespace": "przestrzeni przestrzeń",
        "name": "nazw",
        "latency": "opóźnienie opóźnieniem",
        "version": "wersji",
    }
)
_RUSSIAN: Final = _language(
    {
        "deploy": "разверни развернуть разверните установи установить установите создай создать создайте запусти"
        " запустить запустите",
        "scale": "масштабируй масштабировать масштабируйте",
        "increase": "увеличь увеличить увеличьте",
        "reduce": "уменьши уменьшить уменьшите",
        "delete": "удали удалить удалите",
        "configure": "настрой настроить настройте",
        "enable": "включи включить включите",
        "optimize": "оптимизируй оптимизировать оптимизируйте",
        "upgrade": "обнови обновить обновите",
        "to": "до",
        "with": "с со",
        "and": "и",
        "for": "для",
        "in": "в",
        "from": "от",
        **_numbers("два/две/двух три/трёх четыре пять шесть семь восемь девять десять"),
        "each": "каждый каждого по",
        "replicas": "реплик реплики реплику репликами экземпляр экземпляра экземпляров экземплярами",
        "namespace": "пространстве пространство",
        "name": "имён имен",
        "the": "число количество",
        "latency": "задержка задержкой",
        "version": "версии",
        "network": "сетевой",
        "slice": "слайс срез",
        "monitoring": "мониторинг",
        "encryption": "шифрование",
    }
)

LANGUAGES: Final = (_GERMAN, _SPANISH, _FRENCH, _PORTUGUESE, _ITALIAN, _DUTCH, _POLISH, _RUSSIAN)
"""Of two that know as many words of a sentence, the first is it."""

_SPEAKERS: Final[dict[str, tuple[Language, ...]]] = {
    word: tuple(language for language in LANGUAGES if word in language.words)
    for word in {word for language in LANGUAGES for word in language.words}
}


def spoken(words: Iterable[str]) -> Language | None:
    """The language that knows most of the `words`; None where English knows as many."""
    english = 0
    known: dict[Language, int] = {}
    for word in words:
        if word in EVERYDAY:
            english += 1
        if word in _SPEAKERS:
            for language in _SPEAKERS[word]:
                known[language] = known.get(language, 0) + 1
    if not known or max(known.values()) <= english:
        return None
    return max(known, key=lambda language: (known[language], -LANGUAGES.index(language)))
