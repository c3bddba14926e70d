//! Training: reproducible, split by time with its gap, and a leak shows where leaks show.

use tenon_predict::{
    Contender, Correction, Day, History, Means, Model, ModelFile, Outcomes, Term, TrainError, Training,
    Universe, days, evaluate, train,
};

use crate::world::{Planted, day, world};

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
