//! Training: reproducible, split by time with its gap, and a leak shows where leaks show.

use tenon_model::Probability;
use tenon_predict::{
    Contender, Correction, Dated, Day, Fact, History, HistoryBuilder, Means, Model, ModelFile, Outcomes,
    Snapshot, Term, TrainError, Training, Universe, days, evaluate, train,
};

use crate::world::{BEGIN, Planted, day, ppm, world};

fn training(seed: u64) -> Training<'static> {
    Training { terms: Term::FIVE, seed, first: day("2024-10-01"), name: "five", correction: Correction::None }
}

fn trained(history: &History, seed: u64) -> Vec<Model> {
    train(history, &Outcomes::of(history), &training(seed), &mut |_| ()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let history = world(4_000, 5, Planted::Nothing);
    let text = |seed| ModelFile::new(seed, "made up".to_owned(), trained(&history, seed)).text();
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
    let read = ModelFile::read(text(1).as_bytes()).unwrap();
    assert_eq!(read.models, trained(&history, 1));
}

/// A model that is usable from a day is the same whatever comes from that day on: rows whose outcome was still open on
/// that day would tell.
#[test]
fn a_model_knows_nothing_of_the_time_after_its_first_day() {
    let history = world(4_000, 5, Planted::Nothing);
    let models = trained(&history, 1);
    assert!(models.len() >= 4, "{}", models.len());
    for (place, model) in models.iter().enumerate().take(3) {
        let other = history.with_other_future(model.usable_from.plus(-1), 9);
        let twins = trained(&other, 1);
        assert_eq!(twins[..=place], models[..=place]);
        assert!(model.last.plus(30) < model.usable_from, "{} {}", model.last, model.usable_from);
        // The control: one day earlier the futures differ within what it learned from.
        let earlier = history.with_other_future(model.last, 9);
        assert_ne!(trained(&earlier, 1)[place], *model);
    }
}

#[test]
fn a_model_is_used_only_from_its_first_day_on() {
    let history = world(2_000, 5, Planted::Nothing);
    let file = ModelFile::new(1, String::new(), trained(&history, 1));
    assert_eq!(file.on(day("2024-09-30")), None);
    assert_eq!(file.on(day("2024-10-01")), file.models.first());
    for model in &file.models {
        assert_eq!(file.on(model.usable_from), Some(model));
        assert_ne!(file.on(model.usable_from.plus(-1)), Some(model));
    }
}

fn means(history: &History, model: &ModelFile) -> Means {
    let outcomes = Outcomes::of(history);
    let days: Vec<Day> = days(history, &outcomes);
    let contenders = [Contender::Model("model", model)];
    let evaluation = evaluate(history, &outcomes, &days, Universe::Scored, &contenders, &mut |_| ());
    Means::of(evaluation.standings[0].placed.iter())
}

/// The same world in which EPSS changes its model in its thirtieth week: every score is four times what it was.
fn with_new_scores(history: &History) -> (History, Day) {
    let (first, end) = (day(BEGIN).plus(7 * 30 + 1), day("2025-12-31"));
    let other = |score: Probability| ppm(score.ppm() * 4);
    let mut builder = HistoryBuilder::default();
    for snapshot in history.snapshots() {
        let model = if snapshot.known < first { "v1" } else { "v2" }.to_owned();
        builder.snapshot(Snapshot { model, ..snapshot.clone() });
    }
    builder.listings_until(history.listings_until().unwrap());
    for cve in history.cves() {
        let id = history.id(cve);
        if let Some(score) = history.on(first).get(cve).and_then(|known| known.score()) {
            builder.add(id, first, Fact::Scored(other(score)));
        }
        for dated in history.on(end).facts(cve) {
            let fact = match dated.fact {
                Fact::Scored(_) if dated.known == first => continue,
                Fact::Scored(score) if dated.known > first => Fact::Scored(other(score)),
                fact => fact,
            };
            builder.add(id, dated.known, fact);
        }
    }
    (builder.build(), first)
}

/// On the first day of new scores there is a model that says by them what the one before says by the old ones, without a look
/// at any outcome or at anything that comes later.
#[test]
fn a_forecast_does_not_jump_when_epss_changes_its_model() {
    let old = world(6_000, 5, Planted::Nothing);
    // Of the highest scores a quarter is listed too, so that there is something to learn from scores.
    let end = old.listings_until().unwrap();
    let high = old.cves().filter_map(|cve| {
        let first = *old.on(end).facts(cve).first()?;
        let counts = matches!(first.fact, Fact::Scored(score) if score.ppm() >= 20_000)
            && old.id(cve).key().is_multiple_of(4);
        let listed = first.known.plus(10 + i32::try_from(old.id(cve).key() % 40).unwrap());
        counts.then_some((old.id(cve), Dated { known: listed, fact: Fact::Listed }))
    });
    let old = old.with(high.collect());
    let (new, first) = with_new_scores(&old);
    let models = trained(&new, 1);
    let place = models.iter().position(|model| model.usable_from == first).unwrap();
    // The same history without the change has the model that would have been fitted on that day.
    let training = Training { first, ..training(1) };
    let before = train(&old, &Outcomes::of(&old), &training, &mut |_| ()).unwrap().remove(0);
    let (mut most, mut unrestated, mut compared) = (0, i64::MAX, 0);
    for (cve, known) in old.on(first).cves().filter(|(_, known)| known.score().is_some()) {
        let by_new = new.on(first).get(new.find(old.id(cve)).unwrap()).unwrap();
        let said = before.log_odds(&known);
        most = most.max(models[place].log_odds(&by_new).abs_diff(said));
        unrestated = unrestated.min(before.log_odds(&by_new) - said);
        compared += 1;
    }
    assert!(compared > 2_000, "{compared}");
    assert!(most < 50_000, "log-odds move by at most 0.05, not by {most} millionths");
    assert!(unrestated > 5 * 50_000, "the control: without restating all rise, by {unrestated} at least");
    for future in [9, 10] {
        let twins = trained(&new.with_other_future(first, future), 1);
        assert_eq!(twins[..=place], models[..=place]);
    }
    // What comes under the new scores is learned later.
    assert_ne!(models.last().unwrap().terms, models[place].terms);
}

/// A list that was made from the answers but bears early dates passes every check of dates. It shows in the average
/// precision, which is what the report watches; the area under the ROC curve moves little.
#[test]
fn a_leak_in_the_dates_shows_in_the_average_precision() {
    let honest = world(6_000, 5, Planted::Nothing);
    let leaky = world(6_000, 5, Planted::LeakyList);
    let of = |history: &History| means(history, &ModelFile::new(1, String::new(), trained(history, 1)));
    let (honest, leaky) = (of(&honest), of(&leaky));
    assert_eq!(honest.rows, leaky.rows);
    assert!(honest.rows > 100, "{honest:?}");
    assert!(leaky.average_precision > 3.0 * honest.average_precision, "{honest:?} {leaky:?}");
    assert!(leaky.roc_auc < 1.5 * honest.roc_auc);
}

#[test]
fn what_cannot_be_trained_is_refused_with_its_reason() {
    let empty = History::default();
    let outcomes = Outcomes::of(&empty);
    assert_eq!(train(&empty, &outcomes, &training(1), &mut |_| ()), Err(TrainError::TooShort));
    let history = world(2_000, 5, Planted::Nothing);
    let early = Training { first: day("2024-04-20"), ..training(1) };
    let refused = train(&history, &Outcomes::of(&history), &early, &mut |_| ());
    assert_eq!(refused, Err(TrainError::NothingHappened(day("2024-04-20"))));
}

#[test]
fn a_missing_score_stands_for_what_fresh_cves_do() {
    let history = world(6_000, 5, Planted::Nothing);
    for model in trained(&history, 1) {
        // Scores of this world are between 0.00001 and 0.2.
        assert!((-12_000_000..-1_000_000).contains(&model.missing_score), "{model:?}");
        assert_eq!((model.shift, model.slope), (0, 1_000_000));
    }
}
